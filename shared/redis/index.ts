export { type RedisFingerprint, redisFingerprint } from "./fingerprint-file.ts";
export type { RedisPod, RedisSettings } from "./settings.ts";
export { redisSource } from "./source.ts";
