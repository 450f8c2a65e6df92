import { UserError } from "../failure/index.ts";
import type { Finding } from "../proof/index.ts";
import type { SearchConnection } from "./connection.ts";
import type { SearchFingerprint } from "./fingerprint.ts";
import { findSnapshot, type SnapshotStatus, snapshotPath } from "./snapshot.ts";

/** What a repository says of a snapshot. */
export interface SnapshotJudgement {
  readonly findings: readonly Finding[];
  readonly isThere: boolean;
  /** Bytes by index. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** What the repository itself says of the snapshot, held against the fingerprint. */
export async function judgeSnapshot(
  cluster: SearchConnection,
  repository: string,
  expected: SearchFingerprint,
): Promise<SnapshotJudgement> {
  const { name, uuid } = expected.snapshot;
  const subject = `snapshot ${name}`;
  const findings: Finding[] = [];
  const find = (detector: string, what: string, wanted?: string, found?: string) =>
    findings.push({
      detector,
      tier: "integrity",
      weight: "damage",
      subject,
      what,
      expected: wanted,
      found,
    });
  const gone = { findings, isThere: false, sizes: new Map<string, number>() };

  const info = await attempt(
    () => findSnapshot(cluster, repository, name),
    (said) => find("snapshot", `The repository ${repository} cannot read it: ${said}`),
  );
  if (info === undefined) {
    if (findings.length === 0) find("snapshot", `The repository ${repository} does not have it.`);
    return gone;
  }
  if (info.uuid !== uuid) find("snapshot", "It is another snapshot of this name.", uuid, info.uuid);
  if (info.state !== "SUCCESS")
    find("snapshot", `Its state is ${info.state}.`, "SUCCESS", info.state);
  const failed = info.shards?.failed ?? 0;
  if (failed > 0)
    find("shards", `${failed} of its ${info.shards?.total} shards failed.`, "0", `${failed}`);
  const missing = expected.indices.filter((index) => !info.indices.includes(index.name));
  for (const index of missing) find("index", `It does not hold index ${index.name}.`, index.name);

  const path = `${snapshotPath(repository, name)}/_status`;
  const status = await attempt(
    () => cluster.ask<{ snapshots: SnapshotStatus[] }>("GET", path),
    (said) => find("shards", `Its shards cannot be read from the repository: ${said}`),
  );
  const [first] = status?.snapshots ?? [];
  if (first !== undefined) {
    const { done, total } = first.shards_stats;
    if (done !== total)
      find("shards", `${done} of its ${total} shards are done.`, `${total}`, `${done}`);
  }
  const bytes = first?.stats?.total?.size_in_bytes;
  if (bytes !== undefined && bytes !== expected.snapshot.bytes) {
    find(
      "size",
      "It does not have the size that it was taken with.",
      `${expected.snapshot.bytes}`,
      `${bytes}`,
    );
  }
  const sizes = Object.entries(first?.indices ?? {}).map(([index, { stats }]): [string, number] => [
    index,
    stats?.total?.size_in_bytes ?? 0,
  ]);
  return { findings, isThere: info.uuid === uuid, sizes: new Map(sizes) };
}

/** What the cluster says when it cannot read a repository is a finding, and no failure of ours. */
async function attempt<T>(
  ask: () => Promise<T>,
  onRefusal: (said: string) => void,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isRefusal = error instanceof UserError && "status" in error;
    if (!isRefusal || error.status === 401 || error.status === 403) throw error;
    onRefusal(error.cause);
    return undefined;
  }
}
