export type { BucketFingerprint } from "./entry.ts";
export { type BucketExamineOptions, bucketFingerprint, examineBucket } from "./examine.ts";
export { planRestore, type RestorePlan } from "./plan.ts";
export { holdListing, type RestoredObjects, restoreObjects } from "./restore.ts";
export { type BucketSettings, bucketSource } from "./source.ts";
