import type { Journal } from "../../shared/journal/index.ts";
import type { Finding, Item } from "../../shared/proof/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/** By what a restore works. */
export interface Means {
  readonly options: Options;
  readonly storage: Storage;
  readonly world: World;
  readonly journal: Journal;
}

/** What came of a restore. */
export interface Restored {
  /** What was restored into, for messages. */
  readonly target: string;
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  /** The word for what items hold. */
  readonly unit: string;
  readonly unknown: readonly string[];
  readonly restoreSeconds: number;
  /** Whether the target holds the backup now, and all of it. */
  readonly isSwitched: boolean;
  /** Whether the target was changed; otherwise it is as it was. */
  readonly isTouched: boolean;
  /** The backup of what was replaced. */
  readonly previousBackup: string | undefined;
  /** The name of the former database, where it is still there. */
  readonly previousDatabase: string | undefined;
  /** Where the former folder is, where it is still there. */
  readonly previousFolder?: string | undefined;
}
