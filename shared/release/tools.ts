import type { Helm, Proof, ReleaseRef, Revision, StorageKind } from "../helm/index.ts";
import { markRevision, readHistory } from "../helm/index.ts";
import type { Cluster } from "../kubernetes/index.ts";
import { isForbidden } from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";

/** What a release is worked on with. */
export interface ReleaseTools {
  readonly helm: Helm;
  readonly cluster: Cluster;
  readonly release: ReleaseRef;
  readonly storage: StorageKind;
}

/** All recorded revisions, oldest first. */
export function historyOf({
  cluster,
  release,
  storage,
}: ReleaseTools): Promise<readonly Revision[]> {
  return readHistory(cluster, { ...release, storage });
}

/**
 * Notes on Helm's record whether a revision was seen to work. Without the right to do so, later
 * runs have to believe Helm, which is said.
 */
export async function noteProof(
  { cluster, release, storage }: ReleaseTools,
  revision: number,
  proof: Exclude<Proof, "unknown">,
  { log, aftermath }: Pick<World, "log" | "aftermath">,
): Promise<void> {
  const ref = { ...release, storage };
  try {
    await markRevision(cluster.boundTo(aftermath), ref, revision, proof);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const lasting = isForbidden(error) && proof === "unproven";
    const said = `That revision ${revision} is ${proof} could not be noted: ${why}`;
    if (lasting) log.warning(said, "A later run may take a broken revision for a good one");
    else log.debug(said);
  }
}
