export { builtInTable } from "./built-in-table.ts";
export { findTool, type Tool } from "./choose.ts";
export { type Downloader, openDownloader } from "./download.ts";
export type { Mirrors, MirrorWord } from "./mirror.ts";
export { type Ready, type Settings, setUp } from "./set-up.ts";
export { type OwnTable, parseOwnTable } from "./table.ts";
