import { UserError } from "../failure/index.ts";
import type { RdbFingerprint } from "./fingerprint.ts";

/** What a backup of Redis keeps beside its parts. */
export interface RedisFingerprint {
  readonly schema: 1;
  readonly kind: "redis";
  readonly shards: readonly ShardFingerprint[];
}

/** Of one server, which is one part: a single one's, or that of a master of a cluster. */
export interface ShardFingerprint extends RdbFingerprint {
  readonly part: string;
  readonly node: string;
  readonly slots?: readonly (readonly [from: number, to: number])[];
  readonly format: "REDIS" | "VALKEY";
  readonly version: number;
  readonly bytes: number;
  readonly modules: readonly string[];
  readonly server: {
    readonly version: string;
    readonly product: "redis" | "valkey";
    readonly role: string;
    readonly runId: string;
    readonly replication?: { readonly id: string; readonly offset: number };
    readonly keysBefore: readonly (readonly [database: number, keys: number])[];
    readonly keysAfter: readonly (readonly [database: number, keys: number])[];
  };
}

/**
 * Takes a fingerprint that was read from a backup.
 *
 * @throws {UserError} when it is of another kind, or of a version that is not known here.
 */
export function redisFingerprint(value: unknown): RedisFingerprint {
  const found = value as Partial<RedisFingerprint> | null;
  if (found?.kind === "redis" && found.schema === 1 && Array.isArray(found.shards)) {
    return found as RedisFingerprint;
  }
  throw new UserError({
    title: "The fingerprint of the backup cannot be used",
    cause: "It is none of Redis, or was made by a newer version of this action.",
    remedy: "Use the version of the action that made the backup, or a newer one.",
  });
}
