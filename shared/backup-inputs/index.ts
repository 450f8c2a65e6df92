export { connectionInputs, connectionSettings, podSettings } from "./connection-inputs.ts";
export { podOf } from "./find-pod.ts";
export {
  type ForeignOptions,
  foreignInputs,
  recoveryPoint,
} from "./foreign-inputs.ts";
export { passwordsIn } from "./passwords.ts";
export { podInputs } from "./pod-inputs.ts";
export { sealingInputs, sealingSettings, signingSettings } from "./sealing-inputs.ts";
export { searchInputs } from "./search-inputs.ts";
export { keepingInputs, storageInputs } from "./storage-inputs.ts";
export { keepingSettings, storageSettings } from "./storage-settings.ts";
