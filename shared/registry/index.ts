export { type Credentials, credentialsFor } from "./credentials.ts";
export {
  buildxFolder,
  type DockerConfig,
  dockerFolder,
  type Login,
  readDockerConfig,
  withLogin,
  writePrivateConfig,
} from "./docker-config.ts";
export { type ImagePresence, imagePresence } from "./presence.ts";
export { Registry } from "./registry.ts";
export { type ProvenImage, witness } from "./witness.ts";
