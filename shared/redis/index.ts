export { examineRdb, examineRedis, type RedisExamineOptions } from "./examine.ts";
export { type RedisFingerprint, redisFingerprint } from "./fingerprint-file.ts";
export { explainFailure } from "./load-keys.ts";
export { isForRedis, parseRedisQueries } from "./parse-queries.ts";
export type { RedisExpectation, RedisQuery } from "./queries.ts";
export type { RespConnection } from "./resp.ts";
export {
  type BackupProof,
  type LoadedBackup,
  loadBackup,
  memoryOf,
  proveBackup,
} from "./restore-backup.ts";
export { takeRestoreLease } from "./restore-lease.ts";
export {
  databasesIn,
  planRestore,
  type RestorePlan,
  requireLoadable,
  requireMemory,
  shareOf,
} from "./restore-plan.ts";
export { openRedisTarget, type RedisTarget } from "./restore-target.ts";
export type { RedisPod, RedisSettings } from "./settings.ts";
export { redisSource } from "./source.ts";
export {
  dumpFunctions,
  emptyDatabases,
  functionCodes,
  removeMark,
  replaceFunctions,
  requireFunctions,
  requireSwap,
  restoreFunctions,
  switchDatabases,
} from "./switch-keys.ts";
export { findUnfinished, mark, type Unfinished } from "./unfinished.ts";
