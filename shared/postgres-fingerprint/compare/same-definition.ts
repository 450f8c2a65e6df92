import type { EntryKind } from "../fingerprint.ts";
import { WRITTEN_ANEW } from "./kinds.ts";

/** `same` and `different` are sure; `otherwise` may be the same, written by another major version. */
export type Likeness = "same" | "different" | "otherwise";

/**
 * Holds two definitions of one entry against each other.
 *
 * @param majors the major versions of the servers that wrote them.
 */
export function likenessOf(
  kind: EntryKind,
  expected: string,
  found: string,
  majors: readonly [number, number],
): Likeness {
  if (expected === found) return "same";
  if (kind === "privileges" || kind === "default privileges") {
    if (majors[0] === majors[1]) return "different";
    return withoutMaintain(expected) === withoutMaintain(found) ? "same" : "different";
  }
  if (!isWrittenAnew(kind, expected, found)) return "different";
  if (withoutTextCasts(expected) === withoutTextCasts(found)) return "same";
  if (majors[0] === majors[1]) return "different";
  return loosely(expected) === loosely(found) ? "same" : "otherwise";
}

/** Whether the server writes these definitions, or the part in which they differ, from a parsed tree. */
function isWrittenAnew(kind: EntryKind, expected: string, found: string): boolean {
  if (!WRITTEN_ANEW.has(kind)) return false;
  switch (kind) {
    case "function":
      return expected.includes("BEGIN ATOMIC");
    case "type":
      return expected.startsWith("domain ");
    case "constraint":
      return /^(?:CHECK|EXCLUDE) /.test(expected);
    case "column": {
      const [type, expression] = expected.split(EXPRESSION);
      const [foundType, foundExpression] = found.split(EXPRESSION);
      return expression !== undefined && foundExpression !== undefined && type === foundType;
    }
    default:
      return true;
  }
}

const EXPRESSION = / (?:default|generated always as) (?!identity)(.*)$/s;

/** MAINTAIN came with 17 and is part of ALL. */
function withoutMaintain(privileges: string): string {
  return privileges.replace(/, maintain\b|\bmaintain, /g, "");
}

const TEXT_TYPE = /::(?:character varying|varchar|text|bpchar|character)(?:\(\d+\))?(?:\[\])*/g;
const BARE = /\(('(?:[^']|'')*'|ARRAY\[[^[\]()]*\])\)/g;

/**
 * A varchar compared with constants (`note IN ('a', 'b')`) is written with casts around the array
 * first, and around each element once that text was parsed again: after dump and restore.
 */
function withoutTextCasts(definition: string): string {
  let text = definition.replace(TEXT_TYPE, "");
  for (;;) {
    const next = text.replace(BARE, "$1");
    if (next === text) return text;
    text = next;
  }
}

/** Since 16 columns of a query over one table are written without the table's name. */
function loosely(definition: string): string {
  return withoutTextCasts(definition)
    .replace(/(?:[\w$]+|"(?:[^"]|"")+")\./g, "")
    .replace(/[\s()]+/g, "");
}
