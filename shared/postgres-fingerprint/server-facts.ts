import type { DatabaseFacts, ServerFacts } from "./fingerprint.ts";
import type { Reader } from "./sessions.ts";

/** The server, its database, and its clock. */
export interface Facts {
  readonly taken: string;
  readonly server: ServerFacts;
  readonly database: DatabaseFacts;
}

const SERVER = `
  SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS taken,
    current_setting('server_version') AS version, current_setting('server_version_num')::int AS "versionNumber",
    pg_is_in_recovery() AS standby,
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS wal,
    to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS replayed`;

// Columns differ from version to version: 15 brought providers, 17 another name for the locale.
const DATABASE = `
  SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_database_size(d.oid) AS bytes,
    pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate, d.datctype AS ctype,
    CASE to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS provider,
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
    to_jsonb(d) ->> 'datcollversion' AS "collationVersion", NULL::text AS "actualCollationVersion"
  FROM pg_database d WHERE d.datname = current_database()`;

const ACTUAL_VERSION =
  "SELECT pg_database_collation_actual_version(oid) AS version FROM pg_database WHERE datname = current_database()";

export async function readFacts(reader: Reader): Promise<Facts> {
  const [server] = await reader.query<ServerFacts & { taken: string }>(SERVER);
  const [database] = await reader.query<DatabaseFacts>(DATABASE);
  if (server === undefined || database === undefined)
    throw new Error("The server knows nothing of itself.");
  const { taken, ...facts } = server;
  const [actual] =
    facts.versionNumber < 150_000
      ? []
      : await reader.query<{ version: string | null }>(ACTUAL_VERSION);
  return {
    taken,
    server: facts,
    database: { ...database, actualCollationVersion: actual?.version ?? null },
  };
}
