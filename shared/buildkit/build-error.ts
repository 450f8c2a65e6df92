/** Where in a Dockerfile a build broke, as buildx shows it. */
export interface DockerfileLocation {
  /** The file's name, without its folder. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The instruction, its lines joined. */
  readonly instruction: string;
  /** The lines around it, as buildx prints them. */
  readonly excerpt: readonly string[];
}

const HEAD = /^(\S.*):(\d+)$/;
const RULE = /^-{8,}$/;
const QUOTE = /^\s*\d+ \| (>>> | {4})?(.*)$/;

/**
 * Finds the place in the Dockerfile among the plain lines of a failed `buildx build`. It is
 * printed as `Dockerfile:4`, a ruler, numbered lines, those that failed marked `>>>`, a ruler.
 */
export function locateInDockerfile(text: readonly string[]): DockerfileLocation | undefined {
  for (let at = text.length - 2; at >= 0; at -= 1) {
    const [, file, line] = HEAD.exec(text[at] ?? "") ?? [];
    if (file === undefined || line === undefined || !RULE.test(text[at + 1] ?? "")) continue;
    const end = text.findIndex((each, index) => index > at + 1 && RULE.test(each));
    const excerpt = text.slice(at + 2, end === -1 ? undefined : end);
    const marked = excerpt.map((each) => QUOTE.exec(each)).filter((found) => found?.[1] === ">>> ");
    const instruction = marked.map((found) => found?.[2] ?? "").join("\n");
    return { file, line: Number(line), instruction: joinLines(instruction), excerpt };
  }
  return undefined;
}

const ERROR = /^ERROR: ((?:target \S+: )*)(?:failed to build: )?(?:failed to solve: )?/;

/** The error in buildx's own words, without the prefixes that say no more than "it failed". */
export function buildxError(text: readonly string[]): string {
  const at = text.findLastIndex((line) => line.startsWith("ERROR: "));
  if (at === -1) return text.filter((line) => line.trim() !== "").at(-1) ?? "";
  const [first = "", ...others] = text.slice(at);
  const error = first.replace(ERROR, "");
  // Git's and the registry's own words may follow on lines of their own.
  return /:\s*$/.test(error) ? [error, ...others].join("\n").trim() : error;
}

/** The target of a bake that the error is about, as buildx calls it; undefined when it says none. */
export function brokenTarget(text: readonly string[]): string | undefined {
  const error = text.findLast((line) => line.startsWith("ERROR: ")) ?? "";
  return /target (\S+): $/.exec(ERROR.exec(error)?.[1] ?? "")?.[1];
}

function joinLines(instruction: string): string {
  return instruction
    .replace(/\\\n\s*/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

const LONGEST = 400;

/** Fit for a sentence: on one line, without a full stop, and not too long. */
export function shorten(text: string): string {
  const plain = text.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
}
