import { quoteLiteral, quoteQualified } from "../postgres/index.ts";
import { ofNoExtension, USER_SCHEMA } from "./catalog/entries.ts";
import type { SequenceState } from "./fingerprint.ts";
import type { Named, Reader } from "./sessions.ts";

const TOGETHER = 200;

/**
 * Where every sequence is now. Sequences know no snapshot: what is read is the moment of reading.
 */
export async function readSequences(
  reader: Reader,
  isKept: (sequence: Named & { readonly extension: string | null }) => boolean,
): Promise<Readonly<Record<string, SequenceState>>> {
  const listed = await reader.query<Named & { qualified: string; extension: string | null }>(
    `SELECT n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS qualified, x.extname AS extension
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_extension x ON c.oid = ANY (x.extconfig)
     WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery())
       AND ${USER_SCHEMA} AND (${ofNoExtension("pg_class", "c.oid")} OR x.oid IS NOT NULL) ORDER BY 3`,
  );
  const kept = listed.filter(isKept);
  const states: Record<string, SequenceState> = {};
  for (let from = 0; from < kept.length; from += TOGETHER) {
    const selects = kept
      .slice(from, from + TOGETHER)
      .map(
        ({ schema, name, qualified }) =>
          `SELECT ${quoteLiteral(qualified)}::text AS name, last_value::text AS last, is_called AS called FROM ${quoteQualified(schema, name)}`,
      );
    const found = await reader.query<SequenceState & { name: string }>(
      selects.join("\nUNION ALL\n"),
    );
    for (const { name, last, called } of found) states[name] = { last, called };
  }
  return states;
}
