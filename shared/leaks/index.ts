export { layersOf } from "./base-layers.ts";
export {
  type ImageSource,
  type Leak,
  type LeakReport,
  LeakSearch,
  type LeakSettings,
} from "./leak-search.ts";
export type { Unsearched } from "./needles.ts";
export type { Secret } from "./search-words.ts";
