export { containerPlace } from "./container-place.ts";
export { findPod, type PodSettings } from "./find-pod.ts";
export { localPlace } from "./local-place.ts";
export { outputOf } from "./output.ts";
export type { Ended, Place, PlaceCommand, Running } from "./place.ts";
export { type PodContainer, podPlace } from "./pod-place.ts";
