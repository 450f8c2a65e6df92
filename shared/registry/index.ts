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
export {
  DamagedImage,
  type ImagePlace,
  inspectImage,
  type PlatformImage,
  proveImage,
  type StoredImage,
} from "./inspect.ts";
export type { Descriptor, StoredManifest } from "./manifest.ts";
export { type MovedTag, moveTags, type TagMove, TagsNotMoved } from "./move-tags.ts";
export { reproduciblePapers } from "./papers.ts";
export { type ImagePresence, imagePresence } from "./presence.ts";
export type { Referrer } from "./referrers.ts";
export { Registries } from "./registries.ts";
export { type Deletion, Registry } from "./registry.ts";
export { Refused } from "./registry-error.ts";
export type { Content, Upload } from "./upload.ts";
