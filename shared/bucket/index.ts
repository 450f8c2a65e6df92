export type { BucketFingerprint } from "./entry.ts";
export { type BucketExamineOptions, examineBucket } from "./examine.ts";
export { type BucketSettings, bucketSource } from "./source.ts";
