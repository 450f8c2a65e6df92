export {
  type BuildRequest,
  type BuildSecret,
  type Built,
  build,
  buildArguments,
} from "./build.ts";
export { buildFailure } from "./build-failure.ts";
export { type Buildx, findBuildx, makeRemoteBuilder } from "./builder.ts";
export { type BuildEvent, BuildProgress, type StepCounts } from "./progress.ts";
