export { type ChartRef, RELEASE_NAME, type ReleaseRef, type Rendering } from "./arguments.ts";
export { HelmFailure, type HelmFailureKind } from "./failure.ts";
export { Helm, type HelmSetting } from "./helm.ts";
export {
  type BuiltImage,
  type ImageValues,
  imageValues,
  type PlacedImage,
  type ValuesTree,
} from "./image-values.ts";
export { objectsOf, type Workload, workloadsOf } from "./manifest.ts";
export { type ReleaseStatus, type Revision, type Standing, standingOf } from "./release.ts";
export {
  type Claim,
  type HeldLease,
  NamespaceMissing,
  newHolder,
  type Taken,
  takeLease,
} from "./release-lease.ts";
export { readHistory, type StorageKind, storageKind } from "./release-store.ts";
export { PrivateFolder, readValuesFiles, type ValuesSource } from "./values-folder.ts";
