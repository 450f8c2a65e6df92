export type { Dump, DumpFile } from "./dump/dump.ts";
export {
  type ApplicationQuery,
  type Expectation,
  parseQueries,
} from "./examine/application-queries.ts";
export { askQueries } from "./examine/ask.ts";
export { type LiveSource, readLiveSource, sinceTheDump } from "./examine/live-source.ts";
export { type ServerAhead, startAhead } from "./examine/server-ahead.ts";
export {
  type ExamineSettings,
  examinePostgres,
  type PostgresBackup,
} from "./examine.ts";
export { bareEnvironment, isolatedPlace } from "./server/local.ts";
export { findServerPrograms, NoServerPrograms } from "./server/programs.ts";
export { watchServer } from "./server/watch.ts";
export { LimitReached, type Part, type RestoreTarget, type Staging } from "./target.ts";
export {
  type DatabaseLocale,
  localesToTry,
  openThrowAway,
  type ThrowAwayServer,
  type ThrowAwaySettings,
} from "./throw-away.ts";
