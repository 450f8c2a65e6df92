import type { Session } from "./session.ts";
import { SqlFailed } from "./sql-failed.ts";

/** What a server and the database are. */
export interface ServerFacts {
  /** `16.4 (Debian 16.4-1.pgdg120+1)`. */
  readonly version: string;
  /** `160004`. */
  readonly versionNumber: number;
  readonly major: number;
  readonly database: string;
  readonly user: string;
  readonly superuser: boolean;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** `libc`, `icu`, `builtin`; `libc` before PostgreSQL 15. */
  readonly localeProvider: string;
  /** The locale of ICU or the builtin provider. */
  readonly locale: string | undefined;
  /** The collation's version when the database was made, and what the system has now. */
  readonly collationVersion: string | undefined;
  readonly actualCollationVersion: string | undefined;
  /** Bytes; undefined where the role may not know. */
  readonly bytes: number | undefined;
  /** Tells a cluster and its copies from all others; undefined where the role may not know. */
  readonly systemIdentifier: string | undefined;
  /** Undefined on a primary. */
  readonly standby: Standby | undefined;
}

/** How far a standby has come. */
export interface Standby {
  /** Whether it has replayed all that it has received, while its connection is up. */
  readonly current: boolean;
  /** Seconds since the last transaction that it replayed; undefined where there was none. */
  readonly secondsBehind: number | undefined;
  readonly paused: boolean;
}

/** @throws {SqlFailed} where even the simplest of it cannot be known. */
export async function serverFacts(session: Session): Promise<ServerFacts> {
  const [row] = await session.query<Basics>(BASICS);
  if (row === undefined) throw new Error("no database");
  const major = Math.floor(row.versionNumber / 10_000);
  const locale = await localeOf(session, major);
  return {
    ...row,
    major,
    ...locale,
    bytes: await ifAllowed(session, "SELECT pg_database_size(current_database()) AS value"),
    systemIdentifier: await ifAllowed(
      session,
      "SELECT system_identifier::text AS value FROM pg_control_system()",
    ),
    standby: row.recovering ? await standbyOf(session) : undefined,
  };
}

interface Basics {
  readonly version: string;
  readonly versionNumber: number;
  readonly database: string;
  readonly user: string;
  readonly superuser: boolean;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  readonly recovering: boolean;
}

const BASICS = `SELECT current_setting('server_version') AS version,
  current_setting('server_version_num')::int AS "versionNumber",
  datname AS database, current_user AS "user",
  (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
  pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
  pg_is_in_recovery() AS recovering
FROM pg_database WHERE datname = current_database()`;

type Locale = Pick<
  ServerFacts,
  "localeProvider" | "locale" | "collationVersion" | "actualCollationVersion"
>;

async function localeOf(session: Session, major: number): Promise<Locale> {
  if (major < 15) {
    return {
      localeProvider: "libc",
      locale: undefined,
      collationVersion: undefined,
      actualCollationVersion: undefined,
    };
  }
  const column = major < 17 ? "daticulocale" : "datlocale";
  const [row] = await session.query<Record<string, string | null>>(
    `SELECT CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS provider,
       ${column} AS locale, datcollversion AS version, pg_database_collation_actual_version(oid) AS actual
     FROM pg_database WHERE datname = current_database()`,
  );
  return {
    localeProvider: row?.provider ?? "libc",
    locale: row?.locale ?? undefined,
    collationVersion: row?.version ?? undefined,
    actualCollationVersion: row?.actual ?? undefined,
  };
}

async function standbyOf(session: Session): Promise<Standby> {
  const [row] = await session.query<{
    readonly same: boolean | null;
    readonly streaming: boolean;
    readonly seconds: number | null;
    readonly paused: boolean;
  }>(`SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AS same,
    EXISTS (SELECT FROM pg_stat_wal_receiver) AS streaming,
    extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS seconds,
    pg_is_wal_replay_paused() AS paused`);
  return {
    current: row?.same === true && row.streaming,
    secondsBehind: row?.seconds ?? undefined,
    paused: row?.paused ?? false,
  };
}

async function ifAllowed<T>(session: Session, sql: string): Promise<T | undefined> {
  try {
    const [row] = await session.query<{ readonly value: T }>(sql);
    return row?.value;
  } catch (error) {
    if (error instanceof SqlFailed && error.sqlstate === "42501") return undefined;
    throw error;
  }
}
