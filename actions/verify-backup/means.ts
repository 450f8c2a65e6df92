import type { Verifier } from "../../shared/backup/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { Declared } from "./declared.ts";
import type { Options } from "./inputs.ts";

/** By what a backup is examined. */
export interface Means {
  readonly verifier: Verifier | undefined;
  readonly options: Options;
  /** What the inputs declare of its contents. */
  readonly declared: Declared;
  readonly storage: Storage;
}
