import type { StoredBackup } from "../../../shared/backup/index.ts";
import type { RedisFingerprint, RedisTarget, RestorePlan } from "../../../shared/redis/index.ts";

/** A restore into a server of Redis that has begun. */
export interface RedisRestore {
  readonly backup: StoredBackup;
  readonly fingerprint: RedisFingerprint;
  readonly target: RedisTarget;
  readonly plan: RestorePlan;
  readonly previousBackup: string | undefined;
}
