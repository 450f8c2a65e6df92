export { definitionFiles } from "./files.ts";
export { type BakeFileRequest, readBakeFile } from "./read.ts";
export type { BakeFile, BakeFileTarget, Refusal } from "./target.ts";
