import { normalPlatform } from "../images/index.ts";
import type { Variables } from "./expand.ts";

/** What a reader of a Dockerfile knows from outside of it. */
export interface Surroundings {
  readonly buildArgs: Readonly<Record<string, string>>;
  /** `linux/arm64`; the platform that is built for. */
  readonly platform: string;
  /** The platform of the builder itself. */
  readonly buildPlatform: string;
  /** The stage that is built, or "default". */
  readonly target: string;
}

/**
 * The arguments that are there without being declared, for the lines before the first FROM and for
 * FROM itself; in a stage they count once ARG names them.
 *
 * Source: BuildKit, frontend/dockerfile/dockerfile2llb/platform.go, defaultArgs.
 */
export function platformArguments(from: Surroundings): ReadonlyMap<string, string> {
  const { buildArgs, target } = from;
  const own = {
    ...partsOf("BUILD", from.buildPlatform),
    ...partsOf("TARGET", from.platform),
    TARGETSTAGE: target,
  };
  return new Map(Object.entries(own).map(([name, value]) => [name, buildArgs[name] ?? value]));
}

function partsOf(prefix: string, platform: string): Record<string, string> {
  const normal = normalPlatform(platform);
  const [os = "", architecture = "", variant = ""] = normal.split("/");
  return {
    [`${prefix}PLATFORM`]: normal,
    [`${prefix}OS`]: os,
    [`${prefix}OSVERSION`]: "",
    [`${prefix}ARCH`]: architecture,
    [`${prefix}VARIANT`]: variant,
  };
}

/** The names and values that `ARG` declares: `A B=1 C="x y"`; values still to be expanded. */
export function declarations(
  rest: string,
): readonly (readonly [name: string, value: string | undefined])[] {
  const words =
    rest.match(
      /(?:'[^']*'|"(?:\\[\s\S]|[^"\\])*"|\\[\s\S]|\$\{(?:[^{}]|\{[^}]*\})*\}|[^\s'"\\])+/g,
    ) ?? [];
  return words.map((word) => {
    const at = word.indexOf("=");
    return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
  });
}

/** The older form of ENV, `ENV NAME the rest`, beside `ENV A=1 B=2`. */
export function environment(rest: string): readonly (readonly [name: string, value: string])[] {
  const [, name = "", value = ""] = /^(\S+)\s+([\s\S]*)$/.exec(rest) ?? [];
  if (name !== "" && !name.includes("=")) return [[name, value]];
  return declarations(rest).map(([key, text]) => [key, text ?? ""]);
}

/** Variables from a map. */
export function variablesOf(values: ReadonlyMap<string, string>): Variables {
  return (name) => values.get(name);
}

/** `docker.io/library/node:latest` and `node` are one name for a named context. */
export function plainName(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/)?/, "").replace(/:latest$/, "");
}
