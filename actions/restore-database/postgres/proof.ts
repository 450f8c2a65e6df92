import type { Finding, Item } from "../../../shared/proof/index.ts";
import type { Loaded } from "./load.ts";
import type { TargetServer } from "./server.ts";

/** What a comparison of a restored database with what is known of it gave. */
export interface Proof {
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  readonly unknown: readonly string[];
  readonly isDamaged: boolean;
  /** How long the load took. */
  readonly seconds: number;
}

/** Proves what a database holds after a dump was loaded into it. */
export type Prover = (server: TargetServer, database: string, loaded: Loaded) => Promise<Proof>;
