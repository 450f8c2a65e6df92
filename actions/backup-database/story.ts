import type { Retained } from "../../shared/backup/index.ts";
import type { Journal } from "../../shared/journal/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";

/** What the step has to tell, beside the backup itself. */
export interface Story {
  readonly storage: Storage;
  readonly journal: Journal;
  readonly world: World;
  /** What retention did; undefined where every backup is kept. */
  readonly retained: Retained | undefined;
}
