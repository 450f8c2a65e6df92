import { goTrim } from "./go-text.ts";

/**
 * One line of an ignore file, ready to be matched. Plain data, so that a worker can have it too.
 *
 * Source: github.com/moby/patternmatcher v0.6.1, by which BuildKit's clients decide what to send.
 */
export interface IgnoreRule {
  /** Whether the line begins with `!` and brings back what an earlier one left out. */
  readonly negated: boolean;
  /** How the rest is compared with a path. */
  readonly kind: "exact" | "prefix" | "suffix" | "regexp";
  /** What is compared; for `regexp` the source of a regular expression with the flag `u`. */
  readonly text: string;
  /** The cleaned pattern as it was written, without `!`. */
  readonly pattern: string;
  /** The line of the ignore file, counted from 1. */
  readonly line: number;
}

/**
 * Reads an ignore file's text. Undefined when a line is something of which BuildKit alone knows what
 * it means: a class such as `[[:alpha:]]`, or a mistake that it will report itself. Whoever gets
 * undefined must count on every file.
 */
export function parseIgnoreFile(text: string): readonly IgnoreRule[] | undefined {
  // Bytes that are not UTF-8 are compared as bytes, and these are no longer there.
  if (text.includes("\uFFFD")) return undefined;
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  const rules: IgnoreRule[] = [];
  for (const [index, line] of lines.entries()) {
    const pattern = patternOf(line.replace(/\r$/, ""));
    if (pattern === undefined) continue;
    const rule = ignoreRule(pattern, index + 1);
    if (rule === undefined) return undefined;
    rules.push(rule);
  }
  return rules;
}

/** The pattern of a line; undefined for comments and empty lines. Source: moby's ignorefile. */
function patternOf(line: string): string | undefined {
  // Only a # in the first column begins a comment; behind white space it belongs to the name.
  if (line.startsWith("#")) return undefined;
  const trimmed = goTrim(line);
  if (trimmed === "") return undefined;
  const negated = trimmed.startsWith("!");
  const named = negated ? goTrim(trimmed.slice(1)) : trimmed;
  const clean = named === "" ? "" : cleanPath(named);
  const relative = clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
  return negated ? `!${relative}` : relative;
}

function ignoreRule(written: string, line: number): IgnoreRule | undefined {
  const clean = cleanPath(goTrim(written));
  const negated = clean.startsWith("!");
  const pattern = negated ? clean.slice(1) : clean;
  if (pattern === "" || !hasSoundClasses(pattern)) return undefined;
  const { kind, source } = goExpression(pattern);
  const plain = { negated, pattern, line };
  if (kind === "exact") return { ...plain, kind, text: pattern };
  if (kind === "prefix") return { ...plain, kind, text: pattern.slice(0, -2) };
  if (kind === "suffix") return { ...plain, kind, text: pattern.slice(2) };
  const text = fromGoExpression(source);
  return text === undefined ? undefined : { ...plain, kind, text };
}

/** The shortest path of the same meaning, by its text alone. Source: Go's path/filepath, Clean. */
function cleanPath(path: string): string {
  const rooted = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!rooted) parts.push(part);
  }
  const joined = parts.join("/");
  if (rooted) return `/${joined}`;
  return joined === "" ? "." : joined;
}

/**
 * Whether every `[...]` is one that Go's path/filepath.Match takes: without that, a build fails with
 * "syntax error in pattern".
 */
function hasSoundClasses(pattern: string): boolean {
  const rest = pattern.replace(
    /\\[\s\S]|\[(?!\^\])\^?(?:(?:\\[\s\S]|[^\\\]-])(?:-(?:\\[\s\S]|[^\\\]-]))?)+\]/g,
    "",
  );
  return !rest.includes("[");
}

/** What moby makes of a pattern: the kind of comparison, and the source of Go's regular expression. */
function goExpression(pattern: string): { kind: IgnoreRule["kind"]; source: string } {
  const characters = [...pattern];
  let kind: IgnoreRule["kind"] = "exact";
  let source = "^";
  let at = 0;
  for (let round = 0; at < characters.length; round += 1) {
    const character = characters[at] ?? "";
    at += 1;
    if (character === "*" && characters[at] === "*") {
      at += 1;
      if (characters[at] === "/") at += 1;
      const isLast = at >= characters.length;
      if (!isLast) source += "(.*/)?";
      else if (kind !== "exact") source += ".*";
      kind = isLast && kind === "exact" ? "prefix" : "regexp";
      if (round === 0) kind = "suffix";
    } else if (character === "*" || character === "?") {
      source += character === "*" ? "[^/]*" : "[^/]";
      kind = "regexp";
    } else if (".+()|{}$".includes(character)) {
      source += `\\${character}`;
    } else if (character === "\\") {
      const next = characters[at];
      at += 1;
      source += `\\${next ?? ""}`;
      if (next !== undefined) kind = "regexp";
    } else {
      if (character === "[" || character === "]") kind = "regexp";
      source += character;
    }
  }
  return { kind, source: `${source}$` };
}

/**
 * The same regular expression for JavaScript, with the flag `u`; undefined where the two languages
 * might differ. The pieces are those that `goExpression` makes, and classes that users wrote.
 */
function fromGoExpression(source: string): string | undefined {
  const pieces =
    source.match(/\(\.\*\/\)\?|\[\^\/\]\*?|\\[\s\S]|\[\^?(?:\\[\s\S]|[^\]\\])*\]|[\s\S]/gu) ?? [];
  let result = "";
  for (const piece of pieces) {
    const translated = fromGoPiece(piece);
    if (translated === undefined) return undefined;
    result += translated;
  }
  try {
    new RegExp(result, "u");
    return result;
  } catch {
    return undefined;
  }
}

function fromGoPiece(piece: string): string | undefined {
  // Go's dot takes all but a line feed; that of JavaScript leaves out three more.
  if (piece === "(.*/)?") return "(?:[^\\n]*/)?";
  if (piece === ".") return "[^\\n]";
  if (piece === "]") return "\\]";
  if (piece === "/") return "\\/";
  if (piece.startsWith("\\")) return escaped(piece.slice(1));
  if (!piece.startsWith("[") || piece === "[^/]" || piece === "[^/]*") return piece;
  // A class in which moby has put pieces of its own, or one of POSIX.
  return /[[&]|\\[^-\]\\^.+()|{}$*?]/u.test(piece.slice(1)) ? undefined : piece;
}

/** A letter or digit behind a backslash is an operator to Go, such as \d, and no name has such. */
function escaped(character: string): string | undefined {
  if (/[\p{L}\p{N}]/u.test(character)) return undefined;
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
