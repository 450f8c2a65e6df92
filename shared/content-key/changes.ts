import type { KeyInputs } from "./key-inputs.ts";

/** The most entries of a context that are named. */
const MOST_PARTS = 4;
const SHOWN_DIGITS = 12;

/**
 * Why a build sees something else than an earlier one: phrases such as `the base image node:24 moved
 * from sha256:… to sha256:…`. None when nothing that both tell of differs.
 */
export function changes(before: KeyInputs | undefined, after: KeyInputs): readonly string[] {
  if (before === undefined) return ["it is not known of what the image before was made"];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const isKnown = (name: string) => !(`${name.split(" ")[0]}s left out` in before);
  const changed = names.filter((name) => isKnown(name) && !isSame(before[name], after[name]));
  const told = changed.filter((name) => !isPart(name)).sort((a, b) => rank(a) - rank(b));
  return told.flatMap((name) =>
    name === "context" ? [contextChange(before, after)] : phrase(name, before[name], after[name]),
  );
}

/** A label holds the beginnings of digests only. */
function isSame(before: string | undefined, after: string | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  if (isDigestText(before) && isDigestText(after)) {
    return before.startsWith(after) || after.startsWith(before);
  }
  return before === after;
}

function isDigestText(text: string): boolean {
  return /^[0-9a-f]{12,64}$/.test(text);
}

function isPart(name: string): boolean {
  return name.startsWith("part ") || name.endsWith(" left out");
}

/** What people look for first. */
const ORDER = ["context", "Dockerfile", "image ", "context ", "argument ", "target"];

function rank(name: string): number {
  const kind = name.includes(" ") ? `${name.split(" ")[0]} ` : name;
  const at = ORDER.indexOf(kind);
  return at < 0 ? ORDER.length : at;
}

function contextChange(before: KeyInputs, after: KeyInputs): string {
  const isTold = Object.keys(before).some((name) => name.startsWith("part "));
  const parts = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => name.startsWith("part ") && !isSame(before[name], after[name]),
  );
  if (!isTold || parts.length === 0) return "files of the context changed";
  const named = parts.slice(0, MOST_PARTS).map((name) => {
    const what = name.slice("part ".length) || "other files at its top";
    if (before[name] === undefined) return `${what} is new`;
    return after[name] === undefined ? `${what} is gone` : `${what} changed`;
  });
  const more = parts.length - named.length;
  return `in the context ${named.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}

function phrase(
  name: string,
  before: string | undefined,
  after: string | undefined,
): readonly string[] {
  const [kind = "", ...rest] = name.split(" ");
  const subject = rest.join(" ");
  if (kind === "image" || kind === "frontend") {
    return [imageChange(kind === "image" ? "base image" : "frontend", subject, before, after)];
  }
  const what = rest.length === 0 ? `the ${name}` : `the ${nounOf(kind)} ${subject}`;
  if (before === undefined)
    return [rest.length === 0 ? `${what} is given now: ${after}` : `${what} is new`];
  if (after === undefined) return [`${what} is given no more`];
  if (isDigestText(before) || isDigestText(after)) return [`${what} changed`];
  return [`${what} changed from ${brief(before)} to ${brief(after)}`];
}

function nounOf(kind: string): string {
  const nouns: Readonly<Record<string, string>> = {
    argument: "build argument",
    context: "named context",
    ssh: "SSH agent or key",
  };
  return nouns[kind] ?? kind;
}

function imageChange(
  noun: string,
  image: string,
  before: string | undefined,
  after: string | undefined,
): string {
  if (before === undefined) return `it needs the ${noun} ${image} now`;
  if (after === undefined) return `it needs the ${noun} ${image} no more`;
  return `the ${noun} ${image} moved from ${brief(before)} to ${brief(after)}`;
}

/** As much of a digest as people compare. */
function brief(value: string): string {
  const [algorithm, digits] = value.split(":");
  if (algorithm !== "sha256" || digits === undefined) return value;
  return `sha256:${digits.slice(0, SHOWN_DIGITS)}`;
}
