export {
  type BaseBackup,
  type BaseExamination,
  type BaseSettings,
  examineBaseBackup,
  examineRepository,
} from "./examine.ts";
export { backupsIn, chooseSet, type Repository } from "./pgbackrest.ts";
export { parseTarget, type RecoveryTarget } from "./target.ts";
export type { WalFile } from "./wal-archive.ts";
