export type { DumpFormat, DumpSettings } from "./settings.ts";
export { postgresSource } from "./source.ts";
