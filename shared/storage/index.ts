export { type BucketAccess, type StorageAccess, storageAccess } from "./access.ts";
export { NotThere } from "./errors.ts";
export { openStorage } from "./open.ts";
export {
  type KeptObject,
  type ListedObject,
  openSourceBucket,
  type SourceBucket,
} from "./s3/source-bucket.ts";
export {
  type ObjectTraits,
  openTargetBucket,
  type SeenObject,
  type TargetBucket,
} from "./s3/target-bucket.ts";
export type { StorageSettings } from "./settings.ts";
export type { Refused, Storage, StoredObject, WriteOptions, Written } from "./storage.ts";
export {
  isThawable,
  type Thawable,
  type ThawOptions,
  type ThawProgress,
  type ThawTier,
} from "./thaw.ts";
