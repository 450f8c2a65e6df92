import { podSettings } from "../../../shared/backup-inputs/index.ts";
import type { Product, SearchAccess, SearchPod } from "../../../shared/search-cluster/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Options } from "../inputs.ts";

/** How the cluster is reached that the inputs name. */
export async function accessTo(
  product: Product,
  options: Options,
  world: World,
): Promise<SearchAccess> {
  const { target: url, user, password, apiKey, targetCa: ca } = options;
  return { product, url, user, password, apiKey, ca, pod: await podOf(options, world) };
}

/** A pod of the target, found in its cluster. */
async function podOf(options: Options, world: World): Promise<SearchPod | undefined> {
  const settings = podSettings(options);
  if (settings === undefined) return undefined;
  const { connect } = await import("../../../shared/kubernetes/index.ts");
  const { findPod } = await import("../../../shared/place/index.ts");
  const cluster = await connect(settings, world);
  return { cluster, ...(await findPod(cluster, settings)) };
}
