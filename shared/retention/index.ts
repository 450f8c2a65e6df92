export { bytesFreed, deletionGroups } from "./deletion.ts";
export { type Judged, judge, type Rules, short, type Use } from "./judge.ts";
export { type Mentions, mentionReader } from "./mentions.ts";
export { type Blob, createdOf, type ManifestFacts, manifestFacts, type Stored } from "./stored.ts";
export { type TagPattern, tagPattern } from "./tag-pattern.ts";
