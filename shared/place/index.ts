export { localPlace } from "./local-place.ts";
export { outputOf } from "./output.ts";
export type { Ended, Place, PlaceCommand, Running } from "./place.ts";
