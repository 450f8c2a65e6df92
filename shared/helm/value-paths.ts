import { FormatError } from "../failure/index.ts";

/** A step of a path in a chart's values: a key of a map, or a place in a list. */
export type ValueStep = string | number;

/** Helm's own limit: pkg/strvals/parser.go. */
const MOST_INDEX = 65_536;

/**
 * Reads a path in a chart's values as `--set` does: `a.b`, `list[0].name`, `a\.b` for a key with a
 * point in it.
 *
 * @throws {FormatError} when it is none.
 */
export function parseValuePath(text: string): readonly ValueStep[] {
  const steps: ValueStep[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === "[") {
      if (steps.length === 0) throw new FormatError(`${quoted(text)} begins with an index`);
      const end = text.indexOf("]", at);
      const index = text.slice(at + 1, end < 0 ? undefined : end);
      if (end < 0 || !/^\d+$/.test(index) || Number(index) > MOST_INDEX) {
        throw new FormatError(
          `${quoted(text)} has an index that is no number from 0 to ${MOST_INDEX}`,
        );
      }
      steps.push(Number(index));
      at = end + 1;
      continue;
    }
    if (steps.length > 0) {
      if (text[at] !== ".") throw new FormatError(`${quoted(text)} has something between ] and .`);
      at += 1;
    }
    const { key, next } = keyAt(text, at);
    if (key === "") throw new FormatError(`${quoted(text)} has an empty key`);
    steps.push(key);
    at = next;
  }
  if (steps.length === 0) throw new FormatError("the path is empty");
  return steps;
}

function keyAt(text: string, from: number): { readonly key: string; readonly next: number } {
  let key = "";
  let at = from;
  for (; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === "." || sign === "[") break;
    if (sign === "\\" && at + 1 < text.length) at += 1;
    key += text[at];
  }
  return { key, next: at };
}

type Values = Record<string, unknown>;

/**
 * The values that texts at paths make, to be given to Helm as a file of their own. Where a path leads
 * into a list, the whole list is among them, for a list in a later file replaces that of an earlier:
 * `base` gives the one that the earlier files made.
 *
 * @throws {FormatError} where a path leads through what is neither a map nor a list.
 */
export function valuesAt(
  entries: readonly (readonly [path: readonly ValueStep[], text: string])[],
  base: Readonly<Values>,
): Readonly<Values> {
  const values: Values = {};
  for (const [path, text] of entries) {
    const [first] = path;
    if (typeof first !== "string") throw new FormatError("a path must begin with a key");
    values[first] = placed(values[first], base[first], path.slice(1), text);
  }
  return values;
}

function placed(own: unknown, base: unknown, rest: readonly ValueStep[], text: string): unknown {
  const [step, ...further] = rest;
  if (step === undefined) return text;
  if (typeof step === "number") {
    const from = Array.isArray(own) ? own : Array.isArray(base) ? structuredClone(base) : [];
    const list: unknown[] = [...from];
    while (list.length <= step) list.push(null);
    list[step] = placed(list[step], list[step], further, text);
    return list;
  }
  const map = isMap(own) ? own : {};
  // Within a list, what is there already has to come along.
  const inherited = isMap(base) ? base[step] : undefined;
  return { ...map, [step]: placed(map[step], inherited, further, text) };
}

function isMap(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
