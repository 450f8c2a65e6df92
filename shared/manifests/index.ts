export { type PinnedImage, pinned, setImages } from "./images.ts";
export type { SourcedObject } from "./objects.ts";
export { readManifests } from "./read.ts";
export { type ManifestSource, parseSource } from "./source.ts";
