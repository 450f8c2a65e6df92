export { type ChartRef, RELEASE_NAME, type ReleaseFlags, type ReleaseRef } from "./arguments.ts";
export { mayHaveDefinitions, needsCluster } from "./chart-folder.ts";
export { checkDependencies } from "./dependencies.ts";
export { describeRevision } from "./describe-revision.ts";
export { HelmFailure, type HelmFailureKind } from "./failure.ts";
export {
  type ChartSource,
  chartEnvironment,
  type FetchedChart,
  fetchChart,
} from "./fetch-chart.ts";
export { Helm, type HelmSetting } from "./helm.ts";
export {
  type ImageValues,
  imageValues,
  type PlacedImage,
  type ValuesTree,
} from "./image-values.ts";
export { kubeconfigFile } from "./kubeconfig-file.ts";
export { objectsOf } from "./manifest.ts";
export { type PostRender, PostRenderer, pluginFolders } from "./post-render.ts";
export {
  type PostRenderProgram,
  postRenderProgram,
  runPostRenderer,
} from "./post-render-program.ts";
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
  type RecordedText,
  readHistory,
  readReleases,
  recordRef,
  type StorageKind,
  type StoredReleaseRef,
  storageKind,
} from "./release-store.ts";
export { parseValuePath, type ValueStep, valuesAt } from "./value-paths.ts";
export { PrivateFolder, readValuesFiles, type ValuesSource } from "./values-folder.ts";
