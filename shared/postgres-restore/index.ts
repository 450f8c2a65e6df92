export type { Dump, DumpFile } from "./dump/dump.ts";
export { restoreDump } from "./restore.ts";
export type { RestoreOptions, RestoreReport } from "./restoring/report.ts";
export { LimitReached, type Part, type RestoreTarget, ServerGone, type Staging } from "./target.ts";
export {
  type DatabaseLocale,
  openThrowAway,
  type ThrowAwayServer,
  type ThrowAwaySettings,
} from "./throw-away.ts";
