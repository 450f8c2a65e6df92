import type { StoredBackup } from "../../../shared/backup/index.ts";
import type { Session } from "../../../shared/postgres/index.ts";
import type { PostgresFingerprint } from "../../../shared/postgres-fingerprint/index.ts";
import type { TargetServer } from "./server.ts";

/** A restore of a dump that has begun. */
export interface Restore {
  readonly backup: StoredBackup;
  readonly fingerprint: PostgresFingerprint;
  readonly server: TargetServer;
  /** In the database for maintenance; it holds the lease. */
  readonly session: Session;
}
