import { UserError } from "../failure/index.ts";
import type { SearchConnection } from "./connection.ts";
import type { SearchFingerprint } from "./fingerprint.ts";
import { judgeSnapshot } from "./judge-snapshot.ts";

/**
 * Holds that a cluster can take a snapshot's indices, before anything is made.
 *
 * @returns bytes by index, as the repository has them.
 * @throws {UserError} for the first thing that is not so.
 */
export async function requireRestorable(
  cluster: SearchConnection,
  repository: string,
  expected: SearchFingerprint,
): Promise<ReadonlyMap<string, number>> {
  requireVersion(cluster, expected);
  await requireWritable(cluster);
  const { findings, sizes } = await judgeSnapshot(cluster, repository, expected);
  const damage = findings.filter(({ weight }) => weight === "damage");
  if (damage.length === 0) return sizes;
  throw new UserError({
    title: "The snapshot cannot be restored",
    cause: damage
      .slice(0, 5)
      .map(({ subject, what }) => `${subject}: ${what}`)
      .join("\n"),
    remedy: "Give another backup, such as backup: proven. Nothing was changed.",
  });
}

function requireVersion(cluster: SearchConnection, { version }: SearchFingerprint): void {
  const numbers = (text: string) => text.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [there, here] = [numbers(version), numbers(cluster.version)];
  const [major = 0, minor = 0] = there;
  const [own = 0, ownMinor = 0] = here;
  if (major < own || (major === own && minor <= ownMinor)) return;
  throw new UserError({
    title: "The cluster is older than the snapshot",
    cause: `The snapshot is of ${version}, and ${cluster.place} cannot read what newer ones wrote.`,
    remedy: `Restore into a cluster of ${version} or newer. Nothing was changed.`,
  });
}

/** A block of the whole cluster would let nothing be made, or not be removed again. */
async function requireWritable(cluster: SearchConnection): Promise<void> {
  interface Answer {
    readonly persistent?: Readonly<Record<string, string>>;
    readonly transient?: Readonly<Record<string, string>>;
  }
  const { persistent = {}, transient = {} } = await cluster.ask<Answer>(
    "GET",
    "/_cluster/settings?flat_settings=true",
  );
  const blocks = ["cluster.blocks.read_only", "cluster.blocks.read_only_allow_delete"].filter(
    (name) => (transient[name] ?? persistent[name]) === "true",
  );
  if (blocks.length === 0) return;
  throw new UserError({
    title: "The cluster takes no changes",
    cause: `${cluster.place} has ${blocks.join(" and ")} set to true.`,
    remedy: "Take the block back by PUT _cluster/settings, and run again. Nothing was changed.",
  });
}
