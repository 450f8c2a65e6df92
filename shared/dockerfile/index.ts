export { remoteOf } from "./network.ts";
export {
  type BaseImage,
  type Dockerfile,
  type DockerfileOptions,
  readDockerfile,
} from "./read-dockerfile.ts";
