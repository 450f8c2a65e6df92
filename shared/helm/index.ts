export { type ChartRef, RELEASE_NAME, type ReleaseRef, type Rendering } from "./arguments.ts";
export { HelmFailure, type HelmFailureKind } from "./failure.ts";
export { Helm, type HelmSetting } from "./helm.ts";
export {
  type ImageValues,
  imageValues,
  type PlacedImage,
  type ValuesTree,
} from "./image-values.ts";
export { objectsOf } from "./manifest.ts";
export { type ReleaseStatus, type Revision, type Standing, standingOf } from "./release.ts";
export { readHistory, type StorageKind, storageKind } from "./release-store.ts";
export { PrivateFolder, readValuesFiles, type ValuesSource } from "./values-folder.ts";
