export { type ImageReference, parseImage } from "./image-reference.ts";
export { normalPlatform, platformProblem } from "./platform.ts";
export {
  imageNameProblem,
  isDigest,
  isLoopback,
  nameOf,
  parseRegistry,
  type Repository,
  repositoryBelow,
  tagProblem,
} from "./reference.ts";
