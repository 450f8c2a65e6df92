export { type Buildah, type BuildahExecution, openBuildah } from "./open-buildah.ts";
