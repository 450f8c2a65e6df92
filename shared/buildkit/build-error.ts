/** Where in a Dockerfile a build broke. */
export interface DockerfileLocation {
  /** Counted from 1. */
  readonly line: number;
  /** The instruction, its lines joined. */
  readonly instruction: string;
  /** The lines around it, as buildx prints them; none where it was found by other means. */
  readonly excerpt: readonly string[];
}

const HEAD = /^(\S.*):(\d+)$/;
const RULE = /^-{8,}$/;
const QUOTE = /^\s*(\d+) \| (>>> | {4})?(.*)$/;

/**
 * Finds the place in the Dockerfile among the plain lines of a failed `buildx bake`. It is printed
 * as `Dockerfile:4`, a ruler, numbered lines, those that failed marked `>>>`, a ruler.
 */
export function locateInDockerfile(text: readonly string[]): DockerfileLocation | undefined {
  for (let at = text.length - 2; at >= 0; at -= 1) {
    const [, file, line] = HEAD.exec(text[at] ?? "") ?? [];
    if (file === undefined || line === undefined || !RULE.test(text[at + 1] ?? "")) continue;
    const end = text.findIndex((each, index) => index > at + 1 && RULE.test(each));
    const excerpt = text.slice(at + 2, end === -1 ? undefined : end);
    const marked = excerpt.map((each) => QUOTE.exec(each)).filter((found) => found?.[2] === ">>> ");
    const instruction = marked.map((found) => found?.[3] ?? "").join("\n");
    return { line: Number(line), instruction: joinLines(instruction), excerpt };
  }
  return undefined;
}

/** Whether a Dockerfile has the lines that buildx quotes, at their numbers. */
export function isQuotedFrom(dockerfile: string, { excerpt }: DockerfileLocation): boolean {
  const lines = dockerfile.split(/\r?\n/);
  const quoted = excerpt.map((each) => QUOTE.exec(each)).filter((found) => found !== null);
  return quoted.every(([, number, , text = ""]) => {
    return (lines[Number(number) - 1] ?? "").trimEnd() === text.trimEnd();
  });
}

/**
 * Finds an instruction in a Dockerfile by the name of its step, for the errors to which buildx
 * gives no place. Undefined when there is none such, or more than one.
 */
export function findInstruction(dockerfile: string, step: string): DockerfileLocation | undefined {
  const lines = dockerfile.split(/\r?\n/);
  const found: DockerfileLocation[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    let end = at;
    while (/\\\s*$/.test(lines[end] ?? "") && end + 1 < lines.length) end += 1;
    const instruction = joinLines(lines.slice(at, end + 1).join("\n"));
    if (instruction.toLowerCase() === step.toLowerCase()) {
      found.push({ line: at + 1, instruction, excerpt: [] });
    }
    at = end;
  }
  return found.length === 1 ? found[0] : undefined;
}

const ERROR = /^ERROR: ((?:target \S+: )*)(?:failed to build: )?(?:failed to solve: )?/;

/** The error in buildx's own words, without the prefixes that say no more than "it failed". */
export function buildxError(text: readonly string[]): string {
  const at = text.findLastIndex((line) => line.startsWith("ERROR: "));
  if (at === -1) return text.filter((line) => line.trim() !== "").at(-1) ?? "";
  const [first = "", ...others] = text.slice(at);
  const error = first.replace(ERROR, "");
  // Git's and a registry's own words may follow on lines of their own.
  return /:\s*$/.test(error) ? [error, ...others].join("\n").trim() : error;
}

/**
 * Whether the error is that of a command that a RUN ran. Its text stands in the error, so that
 * nothing may be concluded from the words. Newer and older words of BuildKit.
 */
export function isOfCommand(error: string): boolean {
  return /^(?:process "|executor failed running \[)/.test(error);
}

/** The target of a bake that the error is about, as buildx calls it; undefined when it says none. */
export function brokenTarget(text: readonly string[]): string | undefined {
  const error = text.findLast((line) => line.startsWith("ERROR: ")) ?? "";
  return /target (\S+): $/.exec(ERROR.exec(error)?.[1] ?? "")?.[1];
}

function joinLines(instruction: string): string {
  return instruction
    .replace(/\\\s*\n\s*/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

const LONGEST = 400;

/** Fit for a sentence: on one line, without a full stop, and not too long. */
export function shorten(text: string): string {
  const plain = text.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
}
