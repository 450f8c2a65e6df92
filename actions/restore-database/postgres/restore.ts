import type { Session } from "../../../shared/postgres/index.ts";
import type { PostgresFingerprint } from "../../../shared/postgres-fingerprint/index.ts";
import type { Demands } from "./demands.ts";
import type { SourceDump } from "./dump.ts";
import type { Prover } from "./proof.ts";
import type { TargetServer } from "./server.ts";

/** A restore of a dump that has begun. */
export interface Restore {
  readonly dump: SourceDump;
  readonly demands: Demands;
  /** What the database held when the dump was made; undefined where nobody knows. */
  readonly fingerprint: PostgresFingerprint | undefined;
  /** Holds a database that it was loaded into against what is known of it. */
  readonly prove: Prover;
  readonly server: TargetServer;
  /** In the database for maintenance; it holds the lease. */
  readonly session: Session;
}
