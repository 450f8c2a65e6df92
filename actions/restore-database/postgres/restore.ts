import type { Session } from "../../../shared/postgres/index.ts";
import type { PostgresFingerprint } from "../../../shared/postgres-fingerprint/index.ts";
import type { SourceDump } from "./dump.ts";
import type { TargetServer } from "./server.ts";

/** A restore of a dump that has begun. */
export interface Restore {
  readonly dump: SourceDump;
  readonly fingerprint: PostgresFingerprint;
  readonly server: TargetServer;
  /** In the database for maintenance; it holds the lease. */
  readonly session: Session;
}
