export { type ChartRef, RELEASE_NAME, type ReleaseRef, type Rendering } from "./arguments.ts";
export { describeRevision } from "./describe-revision.ts";
export { HelmFailure, type HelmFailureKind } from "./failure.ts";
export { Helm, type HelmSetting } from "./helm.ts";
export {
  type ImageValues,
  imageValues,
  type PlacedImage,
  type ValuesTree,
} from "./image-values.ts";
export { kubeconfigFile } from "./kubeconfig-file.ts";
export { objectsOf } from "./manifest.ts";
export type { Proof } from "./proof.ts";
export {
  goodIn,
  isGood,
  type ReleaseStatus,
  type Revision,
  type Standing,
  standingOf,
} from "./release.ts";
export {
  markRevision,
  readHistory,
  type StorageKind,
  type StoredReleaseRef,
  storageKind,
} from "./release-store.ts";
export { PrivateFolder, readValuesFiles, type ValuesSource } from "./values-folder.ts";
