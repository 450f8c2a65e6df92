export { changes } from "./changes.ts";
export {
  type ContentKey,
  contentKeyOf,
  type KeySubject,
  type Outside,
  type ResolvedImage,
} from "./content-key.ts";
export { type HidingLine, hiddenBy } from "./hidden-by.ts";
export { decodeInputs, encodeInputs, type KeyInputs } from "./key-inputs.ts";
