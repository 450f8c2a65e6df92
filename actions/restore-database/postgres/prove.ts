import {
  compareFingerprints,
  type PostgresFingerprint,
  takeFingerprint,
} from "../../../shared/postgres-fingerprint/index.ts";
import type { Finding } from "../../../shared/proof/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Options } from "../inputs.ts";
import type { Loaded } from "./load.ts";
import type { Proof, Prover } from "./proof.ts";
import type { TargetServer } from "./server.ts";

/** Compares everything in a restored database with the fingerprint. */
export function proverBy(
  fingerprint: PostgresFingerprint,
  options: Pick<Options, "jobs" | "owners">,
  world: World,
): Prover {
  return (server, database, loaded) =>
    proveDatabase({ server, database, fingerprint }, loaded, options, world);
}

interface Proving {
  readonly server: TargetServer;
  readonly database: string;
  readonly fingerprint: PostgresFingerprint;
}

async function proveDatabase(
  { server, database, fingerprint }: Proving,
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
