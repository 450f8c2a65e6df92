export { connectTo, type SearchConnection } from "./connection.ts";
export { examineSnapshot, type SnapshotExamineOptions } from "./examine.ts";
export {
  type IndexFingerprint,
  type SearchFingerprint,
  searchFingerprint,
} from "./fingerprint.ts";
export { findOccupants, type Occupants } from "./occupants.ts";
export { ensureRepository } from "./repository.ts";
export { removeIndex, removeLeftBehind } from "./restore.ts";
export { restoreAnew } from "./restore-anew.ts";
export { takeSearchLease } from "./restore-lease.ts";
export {
  indicesOf,
  planSearchRestore,
  type SearchPlan,
  type StreamPlan,
} from "./restore-plan.ts";
export { requireRestorable } from "./restore-preflight.ts";
export {
  type Beside,
  nameBeside,
  proveIndex,
  restoreIndexBeside,
  type SearchRestore,
} from "./restore-search.ts";
export { ensureRoom } from "./room.ts";
export type {
  Product,
  RepositorySettings,
  SearchAccess,
  SearchPod,
  SearchSettings,
} from "./settings.ts";
export { searchSource } from "./source.ts";
export { type IndexSwitch, switchIndex } from "./switch-index.ts";
