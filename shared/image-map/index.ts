export { type BuiltImage, type ImageMap, imageMap } from "./image-map.ts";
export { withImagesOfFile } from "./images-file.ts";
export { repositoryOf } from "./repository.ts";
