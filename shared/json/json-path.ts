import { FormatError } from "../failure/index.ts";

/** A path to at most one value: member names and array indexes, from the root inwards. */
export type JsonPath = readonly (string | number)[];

/** What a path leads to, or how far it leads before it ends. */
export type Selection =
  | { readonly found: true; readonly value: unknown }
  | { readonly found: false; readonly missing: string };

// RFC 9535, section 2.5.1.1: a shorthand name has no hyphen and does not start with a digit.
const SHORTHAND = /[A-Za-z_\u0080-\uD7FF\uE000-\u{10FFFF}][\w\u0080-\uD7FF\uE000-\u{10FFFF}]*/uy;
const BLANK = /[ \t\n\r]*/y;
// Section 2.3.3.1: no leading zeros, no minus zero.
const INDEX = /0|-?[1-9]\d*/y;
const QUOTED = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/sy;
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  "/": "/",
  "\\": "\\",
};

/**
 * Reads a JSONPath singular query (RFC 9535, section 2.3.5.1): `$`, then any number of `.name`,
 * `['name']`, `["name"]`, `[0]` and `[-1]`. What selects several values is not part of it.
 *
 * @throws {FormatError} saying at which character the text leaves the form.
 */
export function parseJsonPath(text: string): JsonPath {
  if (!text.startsWith("$")) throw new FormatError(`it must start with $, as in $.${text}`);
  const segments: (string | number)[] = [];
  let at = 1;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const taken = pattern.exec(text)?.[0];
    at += taken?.length ?? 0;
    return taken;
  };
  while (at < text.length) {
    take(BLANK);
    segments.push(takeSegment(text, () => at, take));
  }
  return segments;
}

function takeSegment(
  text: string,
  position: () => number,
  take: (pattern: RegExp) => string | undefined,
): string | number {
  const opening = take(/[.[]/y);
  if (opening === ".") {
    const name = take(SHORTHAND);
    if (name === undefined) throw unexpected(text, position(), "a name");
    return name;
  }
  if (opening !== "[") throw unexpected(text, position(), ". or [");
  take(BLANK);
  const quoted = take(QUOTED);
  const index = quoted === undefined ? take(INDEX) : undefined;
  if (quoted === undefined && index === undefined) {
    throw unexpected(text, position(), "a quoted name or an index");
  }
  take(BLANK);
  if (take(/\]/y) === undefined) throw unexpected(text, position(), "]");
  return quoted === undefined ? safeIndex(Number(index)) : unquote(quoted);
}

function unexpected(text: string, position: number, wanted: string): FormatError {
  const got = position < text.length ? JSON.stringify(text[position]) : "the end";
  const hint = text[position] === "-" ? "; write names with hyphens as ['a-b']" : "";
  const several = text[position] === "*" || text.startsWith("..", position - 1);
  const only = several ? "; only paths to a single value are understood" : "";
  return new FormatError(
    `at character ${position + 1} there is ${got} instead of ${wanted}${hint}${only}`,
  );
}

function safeIndex(index: number): number {
  if (!Number.isSafeInteger(index)) throw new FormatError(`the index ${index} is too large`);
  return index;
}

function unquote(quoted: string): string {
  const quote = quoted.charAt(0);
  return quoted.slice(1, -1).replace(/\\(u[0-9A-Fa-f]{4}|.)/gs, (sequence, what: string) => {
    if (what.length === 5) return String.fromCharCode(Number.parseInt(what.slice(1), 16));
    const plain = what === quote ? quote : SIMPLE_ESCAPES[what];
    if (plain === undefined) throw new FormatError(`${sequence} is no escape`);
    return plain;
  });
}

/** Follows a path into parsed JSON. A negative index counts from an array's end. */
export function select(path: JsonPath, root: unknown): Selection {
  let value = root;
  for (const [depth, segment] of path.entries()) {
    const next = step(value, segment);
    if (next === undefined) {
      const here = formatJsonPath(path.slice(0, depth));
      return { found: false, missing: `${here} is ${nature(value)} without ${name(segment)}` };
    }
    value = next.value;
  }
  return { found: true, value };
}

function step(value: unknown, segment: string | number): { readonly value: unknown } | undefined {
  if (Array.isArray(value)) {
    if (typeof segment !== "number") return undefined;
    const index = segment < 0 ? value.length + segment : segment;
    return index >= 0 && index < value.length ? { value: value[index] } : undefined;
  }
  if (typeof value !== "object" || value === null || typeof segment !== "string") return undefined;
  return Object.hasOwn(value, segment)
    ? { value: (value as Record<string, unknown>)[segment] }
    : undefined;
}

function name(segment: string | number): string {
  return typeof segment === "number" ? `element ${segment}` : JSON.stringify(segment);
}

/** What a JSON value is, in two words. */
export function nature(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The path as text, in the normal form where a name needs quotes. */
export function formatJsonPath(path: JsonPath): string {
  const parts = path.map((segment) => {
    if (typeof segment === "number") return `[${segment}]`;
    SHORTHAND.lastIndex = 0;
    return SHORTHAND.exec(segment)?.[0] === segment
      ? `.${segment}`
      : `['${segment.replace(/['\\]/g, "\\$&")}']`;
  });
  return `$${parts.join("")}`;
}
