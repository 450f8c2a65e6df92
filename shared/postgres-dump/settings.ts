import type { ConnectionSettings } from "../postgres/index.ts";

export type DumpFormat = "custom" | "directory" | "plain";

/** What is to be dumped, and how. */
export interface DumpSettings {
  readonly connection: ConnectionSettings;
  readonly format: DumpFormat;
  /** Workers of a dump in the directory format. */
  readonly jobs?: number | undefined;
  /** Patterns as psql knows them: `public`, `app_*`, `"Odd Name"`. */
  readonly schemas?: readonly string[] | undefined;
  readonly excludeSchemas?: readonly string[] | undefined;
  /** `orders`, `public.orders`, `audit.*`. */
  readonly tables?: readonly string[] | undefined;
  readonly excludeTables?: readonly string[] | undefined;
  /** Their definitions are kept, their rows are not. */
  readonly excludeTableData?: readonly string[] | undefined;
  /** How long to wait for a lock that somebody else holds; 60 unless said. */
  readonly lockWaitSeconds?: number | undefined;
  /** How far a standby may be behind; 300 unless said. */
  readonly mostSecondsBehind?: number | undefined;
  /** A column or a query for one value that tells how fresh the contents are. */
  readonly heartbeat?: string | undefined;
  /** Dump roles and tablespaces too, which belong to no database. */
  readonly globals?: boolean | undefined;
  /** Folder of the client programs. */
  readonly binaries?: string | undefined;
  /** Further arguments of pg_dump, of those that leave the proof whole. */
  readonly extraArguments?: readonly string[] | undefined;
  /** Connections that read for the fingerprint, beside the dump. */
  readonly readers?: number | undefined;
}
