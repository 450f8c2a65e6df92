import type { PostgresFingerprint } from "../../../shared/postgres-fingerprint/index.ts";
import type { DatabaseLocale } from "./databases.ts";

/** What a dump needs of a server that it is restored into. Names of roles and extensions as SQL has them. */
export interface Demands {
  /** Of the server that it was made from. */
  readonly version: string;
  readonly extensions: readonly string[];
  /** To which something in it belongs, or is granted. */
  readonly roles: readonly string[];
  /** Of these, the ones to which something belongs. */
  readonly owners: readonly string[];
  /** The name itself; undefined where nothing tells it. */
  readonly databaseOwner: string | undefined;
  /** Undefined where nothing tells it. */
  readonly locale: DatabaseLocale | undefined;
}

/** What a fingerprint says that its dump needs. */
export function demandsOf({ catalog, server, database }: PostgresFingerprint): Demands {
  return {
    version: server.version,
    extensions: Object.keys(catalog.extension ?? {}),
    roles: Object.keys(catalog.role ?? {}),
    owners: [...new Set(Object.values(catalog.owner ?? {}))],
    databaseOwner: database.owner,
    locale: database,
  };
}
