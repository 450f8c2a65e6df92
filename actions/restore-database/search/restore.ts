import type { StoredBackup } from "../../../shared/backup/index.ts";
import type { Occupants, SearchPlan, SearchRestore } from "../../../shared/search-cluster/index.ts";

/** A restore of indices that has begun. */
export interface IndicesRestore extends SearchRestore {
  readonly backup: StoredBackup;
  readonly plan: SearchPlan;
  readonly occupants: Occupants;
  readonly previousBackup: string | undefined;
}
