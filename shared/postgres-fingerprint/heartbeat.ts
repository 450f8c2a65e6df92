import { UserError } from "../failure/index.ts";
import { quoteIdentifier } from "../postgres/index.ts";
import type { Heartbeat } from "./fingerprint.ts";
import type { Reader } from "./sessions.ts";

const NAME = /^\s*(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+)){1,2}\s*$/;

/**
 * The newest time that the database itself tells: how old what it shows is.
 *
 * @param of a column, `public.orders.created_at`, or a query for one value.
 * @throws {UserError} when the server does not understand it, or the answer is not one value.
 */
export async function readHeartbeat(reader: Reader, of: string): Promise<Heartbeat> {
  const query = of.trim().replace(/;\s*$/, "");
  const inner = NAME.test(query) ? newestOf(query) : query;
  const rows = await ask(reader, of, inner);
  const [row] = rows;
  if (rows.length > 1) {
    throw wrong(of, "It gives more than one row.");
  }
  return { of, value: row?.value ?? null, secondsOld: row === undefined ? null : ageOf(row) };
}

interface Beat {
  readonly value: string | null;
  readonly now: number;
}

async function ask(reader: Reader, of: string, inner: string): Promise<readonly Beat[]> {
  try {
    return await reader.query<Beat>(
      `SELECT beat.value::text AS value, extract(epoch FROM now())::float8 AS now FROM (\n${inner}\n) AS beat (value)`,
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw wrong(of, error.cause, error);
  }
}

function wrong(of: string, cause: string, reason?: unknown): UserError {
  return new UserError(
    {
      title: "The heartbeat cannot be read",
      cause: `"${of}": ${cause}`,
      remedy:
        "Give a column with a time, as schema.table.column, or a SELECT that gives one value in one row.",
    },
    { reason },
  );
}

function newestOf(column: string): string {
  const names = [...column.trim().matchAll(/"((?:[^"]|"")+)"|([\w$]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain?.toLowerCase() ?? "",
  );
  const last = quoteIdentifier(names.at(-1) ?? "");
  const table = (names.length === 2 ? ["public", ...names.slice(0, 1)] : names.slice(0, 2))
    .map(quoteIdentifier)
    .join(".");
  return `SELECT max(${last}) FROM ${table}`;
}

/** Sessions write times in UTC, as ISO 8601 has it, or without a zone. */
function ageOf({ value, now }: Beat): number | null {
  if (value === null || !/^\d{4,}-\d\d-\d\d/.test(value)) return null;
  const zoned = /(?:Z|[+-]\d\d(?::?\d\d)?)$/.test(value.slice(10)) ? value : `${value}+00`;
  const time = Date.parse(zoned.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));
  return Number.isNaN(time) ? null : Math.round(now - time / 1_000);
}
