export {
  type BuildExecution,
  type BuildRequest,
  type BuildSecret,
  type Built,
  build,
  buildArguments,
} from "./build.ts";
export { type BuildSubject, buildFailure } from "./build-failure.ts";
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
export { isPlatform, normalPlatform } from "./platform.ts";
export { type BuildEvent, BuildProgress, type StepCounts } from "./progress.ts";
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
export { Registry, type RegistryAccess } from "./registry.ts";
export { type ProvenImage, type PushClaim, witness } from "./witness.ts";
