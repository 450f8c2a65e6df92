export { repositoryOf } from "../image-map/index.ts";
