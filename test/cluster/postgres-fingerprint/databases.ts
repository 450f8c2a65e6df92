import { readFileSync } from "node:fs";
import { join } from "node:path";
import { localPlace } from "../../../shared/place/index.ts";
import { openSession, type Session } from "../../../shared/postgres/index.ts";
import {
  type FingerprintOptions,
  type PostgresFingerprint,
  takeFingerprint,
} from "../../../shared/postgres-fingerprint/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import type { PostgresServer } from "../../servers/postgres.ts";

const RICH = readFileSync(join(import.meta.dirname, "rich.sql"), "utf8");

/** Makes the roles that the rich database needs. */
export function makeRoles(server: PostgresServer): void {
  server.query("CREATE ROLE fp_owner; CREATE ROLE fp_app; CREATE ROLE fp_audit;");
}

/**
 * Makes a database with one of everything.
 *
 * @param icu whether the collation in it may be one of ICU, which not every build has.
 */
export function makeRich(server: PostgresServer, database: string, icu = true): void {
  server.query(`CREATE DATABASE ${database}`);
  const block = /DO \$\$[\s\S]*?END \$\$;/;
  server.query(
    icu ? RICH : RICH.replace(block, 'CREATE COLLATION shop.insensitive FROM "C";'),
    database,
  );
}

/** A session on a server of the test's own. */
export function connect(server: PostgresServer, database: string, first: readonly string[] = []) {
  return openSession(
    localPlace(new Secrets()),
    {
      subject: `database ${database}`,
      conninfo: "",
      environment: {
        PGHOST: server.folder,
        PGPORT: `${server.port}`,
        PGUSER: "postgres",
        PGDATABASE: database,
      },
    },
    { signal: new AbortController().signal, psql: join(server.bin, "psql"), first },
  );
}

const TRANSACTION = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/** The fingerprint of a database as it is. */
export function fingerprintOf(
  server: PostgresServer,
  database: string,
  options: Partial<FingerprintOptions> = {},
): Promise<PostgresFingerprint> {
  return takeFingerprint(
    { open: () => connect(server, database, [TRANSACTION]) },
    { parallel: 2, signal: new AbortController().signal, ...options },
  );
}

/** The fingerprint that the session sees inside of its own transaction, which stays open. */
export function fingerprintInside(
  session: Session,
  options: Partial<FingerprintOptions> = {},
): Promise<PostgresFingerprint> {
  const lent = {
    query: <T>(sql: string) => session.query<T>(sql),
    run: (sql: string) => session.run(sql),
    close: async () => {},
  };
  return takeFingerprint(
    { open: async () => lent },
    { parallel: 1, signal: new AbortController().signal, ...options },
  );
}
