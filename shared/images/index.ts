export {
  type BuildRequest,
  type BuildSecret,
  type Built,
  build,
  buildArguments,
} from "./build.ts";
export { buildFailure } from "./build-failure.ts";
export { type Buildx, findBuildx, makeRemoteBuilder } from "./builder.ts";
export { type Credentials, credentialsFor } from "./credentials.ts";
export {
  buildxFolder,
  type DockerConfig,
  type Login,
  readDockerConfig,
  withLogin,
  writePrivateConfig,
} from "./docker-config.ts";
export { type ImageReference, parseImage } from "./image-reference.ts";
export { normalPlatform, platformProblem } from "./platform.ts";
export { type ImagePresence, imagePresence } from "./presence.ts";
export { type BuildEvent, BuildProgress, type StepCounts } from "./progress.ts";
export {
  imageNameProblem,
  isDigest,
  isLoopback,
  parseRegistry,
  type Repository,
  repositoryBelow,
  tagProblem,
} from "./reference.ts";
export { Registry } from "./registry.ts";
export { type ProvenImage, witness } from "./witness.ts";
