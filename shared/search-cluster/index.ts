export { examineSnapshot, type SnapshotExamineOptions } from "./examine.ts";
export type {
  Product,
  RepositorySettings,
  SearchAccess,
  SearchPod,
  SearchSettings,
} from "./settings.ts";
export { searchSource } from "./source.ts";
