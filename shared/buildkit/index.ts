export { type BakeExecution, bake } from "./bake.ts";
export type { BakeResult, BakeTarget } from "./bake-target.ts";
export type { BuildEvent, StepCounts } from "./build-event.ts";
export type { BuildSecret } from "./build-secret.ts";
export type { Builder, BuilderExecution, StartedBuilder } from "./builder/builder.ts";
export { type Buildx, findBuildx } from "./builder/find-buildx.ts";
export { openBuilder } from "./builder/open-builder.ts";
export type {
  BuilderSettings,
  Driver,
  NodeSettings,
} from "./builder/settings.ts";
export {
  CACHE_TAG,
  type Cache,
  type CacheGround,
  type CacheSetting,
  type CacheUse,
  cacheLine,
  cacheOf,
  parseCache,
} from "./cache.ts";
export { type LocalCache, localCacheFolder, openLocalCache } from "./local-cache.ts";
