export { configGrace } from "./config-grace.ts";
export { expectedImages } from "./expected-images.ts";
export { repositoryOf } from "./image-name.ts";
export { type ContainerImage, imagesOf } from "./pod-images.ts";
export {
  type ExpectedImage,
  type ImageProof,
  proveImages,
  type RunningPod,
} from "./running-images.ts";
export { type Workload, workloadsOf } from "./workload.ts";
