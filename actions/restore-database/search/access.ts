import { podOf } from "../../../shared/backup-inputs/index.ts";
import type { Product, SearchAccess } from "../../../shared/search-cluster/index.ts";
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
