export { archivedIn } from "./archived-in.ts";
export {
  type BaseBackup,
  type BaseExamination,
  type BaseSettings,
  examineBaseBackup,
  examineRepository,
} from "./examine.ts";
export { diskFull } from "./not-recoverable.ts";
export { openRepository } from "./open-repository.ts";
export {
  type RecoveredCluster,
  type RecoverySettings,
  recoverBaseBackup,
  recoverRepository,
} from "./recover.ts";
export { chooseSet, type Repository, type RepositoryPlace } from "./repository.ts";
export { parseTarget, type RecoveryTarget } from "./target.ts";
export type { WalFile } from "./wal-archive.ts";
