import {
  compareFingerprints,
  type PostgresFingerprint,
  takeFingerprint,
} from "../../../shared/postgres-fingerprint/index.ts";
import type { Finding, Item } from "../../../shared/proof/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Options } from "../inputs.ts";
import type { Loaded } from "./load.ts";
import type { TargetServer } from "./server.ts";

/** What a comparison of a restored database with its fingerprint gave. */
export interface Proof {
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  readonly unknown: readonly string[];
  readonly isDamaged: boolean;
  /** How long the load took. */
  readonly seconds: number;
}

/** Compares everything in a restored database with the fingerprint. */
export async function proveDatabase(
  server: TargetServer,
  database: string,
  fingerprint: PostgresFingerprint,
  loaded: Loaded,
  { jobs, owners }: Pick<Options, "jobs" | "owners">,
  { signal }: World,
): Promise<Proof> {
  const first = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"];
  const sessions = { open: () => server.open(database, first) };
  const found = await takeFingerprint(sessions, { parallel: jobs, like: fingerprint, signal });
  const { findings, items, unknown } = compareFingerprints(fingerprint, found, {
    tier: "full",
    privileges: owners === "leave" ? "mapped" : "kept",
  });
  const isDamaged = findings.some(({ weight }) => weight === "damage");
  const complaint: Finding[] =
    loaded.complaints === ""
      ? []
      : [
          {
            ...{ detector: "restore", tier: "full", subject: "dump" },
            // What it could not do either shows in the comparison, or did no harm.
            weight: isDamaged ? "damage" : "note",
            what: `The restore complained: ${loaded.complaints.split("\n").slice(0, 5).join(" ").slice(0, 1_000)}`,
          },
        ];
  const seconds = loaded.seconds;
  return { findings: [...complaint, ...findings], items, unknown, isDamaged, seconds };
}
