export { isBaseBackup } from "./base-files.ts";
export {
  type BaseBackup,
  type BaseExamination,
  type BaseSettings,
  examineBaseBackup,
} from "./examine.ts";
export { parseTarget, type RecoveryTarget } from "./target.ts";
export type { WalFile } from "./wal-archive.ts";
