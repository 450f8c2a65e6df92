import { FormatError, nearestName } from "../failure/index.ts";
import type { Answer } from "./check.ts";

/** The usual paths of health endpoints, the plain one first. */
export const PRESETS = {
  health: ["/health", "/healthz"],
  ready: ["/ready", "/readyz"],
  live: ["/live", "/livez"],
} as const;

export type Preset = keyof typeof PRESETS;

/**
 * Reads the name of a preset; a slash before it does no harm.
 *
 * @throws {FormatError}
 */
export function parsePreset(text: string): Preset {
  const name = text.replace(/^\//, "");
  if (name in PRESETS && Object.hasOwn(PRESETS, name)) return name as Preset;
  const names = Object.keys(PRESETS);
  const near = nearestName(name, names);
  const hint = near === undefined ? `known are ${names.join(", ")}` : `did you mean ${near}?`;
  throw new FormatError(`there is no preset ${JSON.stringify(text)}; ${hint}`);
}

/** Words by which services say with a status of 200 that they are not well. */
const BAD =
  /^(bad|critical|dead|down|error|fail(ed|ing|ure)?|not[ _-]?(ok|ready|alive|healthy)|out[ _-]of[ _-]service|starting|stopp(ed|ing)|unavailable|unhealthy)$/i;
const STATE_KEYS = ["status", "state", "health"];
const TRUTH_KEYS = ["healthy", "ready", "live", "alive", "ok", "success"];

/**
 * What in the answer of a health endpoint speaks against good health, as phrases: a state such as
 * DOWN, or a page for people, which a front end answers to every path.
 */
export function healthMismatches({
  body,
  status,
}: Pick<Answer, "body" | "status">): readonly string[] {
  if (status < 200 || status > 299) return [];
  if (/^\s*(<!doctype html|<html)/i.test(body)) {
    return [
      "the answer is an HTML page, which a front end gives for every path; name the path of the health endpoint by `path` instead of the preset",
    ];
  }
  const said = rootOf(body);
  const states = STATE_KEYS.flatMap((key) => {
    const value = said[key];
    return typeof value === "string" && BAD.test(value.trim())
      ? [`it says of itself ${key}: ${JSON.stringify(value)}`]
      : [];
  });
  const denials = TRUTH_KEYS.flatMap((key) =>
    said[key] === false ? [`it says of itself ${key}: false`] : [],
  );
  const plain = BAD.test(body.trim()) ? [`it says of itself ${JSON.stringify(body.trim())}`] : [];
  return [...states, ...denials, ...plain];
}

function rootOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const root: unknown = JSON.parse(body);
    return typeof root === "object" && root !== null ? (root as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
