export { type Choice, choose, type Top } from "./choice.ts";
export {
  type DirectoryExamineOptions,
  directoryFingerprint,
  examineDirectory,
  examineTar,
} from "./examine.ts";
export { giveTraits } from "./lay-out.ts";
export type { DirectoryFingerprint } from "./member.ts";
export { type RestoredMembers, restoreMembers, restoreThere } from "./restore.ts";
export { type DirectorySettings, directorySource } from "./source.ts";
