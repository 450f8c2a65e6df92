export { type BuiltImage, type ImageMap, imageMap } from "./image-map.ts";
export { repositoryOf } from "./repository.ts";
