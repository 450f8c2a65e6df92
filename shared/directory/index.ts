export { type DirectoryExamineOptions, examineDirectory, examineTar } from "./examine.ts";
export type { DirectoryFingerprint } from "./member.ts";
export { type DirectorySettings, directorySource } from "./source.ts";
