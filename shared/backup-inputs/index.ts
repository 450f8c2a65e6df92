export { passwordsIn } from "./passwords.ts";
export { type PodOptions, podInputs } from "./pod-inputs.ts";
export {
  type KeepingOptions,
  keepingInputs,
  type StorageOptions,
  storageInputs,
} from "./storage-inputs.ts";
