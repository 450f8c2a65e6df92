import type { RowCounts } from "../../../../shared/dump-format/index.ts";
import type { Demands } from "../demands.ts";

/** Something that a dump makes. */
export interface Made {
  /** `TABLE`, `FK CONSTRAINT`: what pg_restore -l shows. */
  readonly kind: string;
  /** Empty where it has none. */
  readonly schema: string;
  /** The object's name; of constraints, triggers and the like, with the table's in front. */
  readonly name: string;
}

/** Where a sequence stands, as a dump sets it. */
export interface SequenceSet {
  /** As SQL names it. */
  readonly sequence: string;
  readonly last: string;
  readonly called: boolean;
}

/** What a dump that has no fingerprint says that it holds. */
export interface DumpContents {
  readonly rows: RowCounts;
  readonly made: readonly Made[];
  readonly sequences: readonly SequenceSet[];
  readonly demands: Demands;
}

const ROLE =
  /\b(?:TO|FROM|OWNER TO|FOR ROLE)\s+((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*,\s*(?:"(?:[^"]|"")+"|[\w$]+))*)/gi;
const NOBODY = /^(public|current_user|session_user|current_role)$/i;

/** The roles that a statement of a dump names, as SQL has them: of GRANT, REVOKE, OWNER TO. Pure. */
export function rolesIn(statement: string): readonly string[] {
  const named = [...statement.matchAll(ROLE)].flatMap(([, list = ""]) =>
    (list.match(/"(?:[^"]|"")+"|[\w$]+/g) ?? []).map(canonical),
  );
  return [...new Set(named.filter((name) => !NOBODY.test(name)))];
}

/** As `quote_ident` of the server would have it, for names that need no quotes. */
function canonical(name: string): string {
  const inner = /^"([a-z_][a-z0-9_$]*)"$/.exec(name)?.[1];
  return inner ?? (name.startsWith('"') ? name : name.toLowerCase());
}

/** A plain name as SQL has it. Pure. */
export function asSql(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** What `SELECT pg_catalog.setval(...)` sets. Pure. */
export function sequenceSetIn(statement: string): SequenceSet | undefined {
  const [, name, last, called] =
    /setval\('((?:[^']|'')+)',\s*(-?\d+),\s*(true|false)\)/i.exec(statement) ?? [];
  if (name === undefined || last === undefined) return undefined;
  return { sequence: name.replaceAll("''", "'"), last, called: called === "true" };
}
