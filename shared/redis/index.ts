export { examineRdb, examineRedis, type RedisExamineOptions } from "./examine.ts";
export type { RedisFingerprint } from "./fingerprint-file.ts";
export type { RedisExpectation, RedisQuery } from "./queries.ts";
export type { RedisPod, RedisSettings } from "./settings.ts";
export { redisSource } from "./source.ts";
