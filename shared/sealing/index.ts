export { BrokenSeal } from "./broken-seal.ts";
export { type Compression, compression, decompression } from "./compression.ts";
export { notePassing } from "./dead-buffers.ts";
export { decryptionBy } from "./decryption-by.ts";
export { recipientsOf } from "./recipients-of.ts";
export {
  type Encryption,
  type EncryptionSettings,
  type Keys,
  openSealer,
  openUnsealer,
  type Sealer,
  type SealingSettings,
  type SealTraits,
  type Unsealer,
} from "./seal.ts";
export { type Stage, through } from "./stage.ts";
