import type { World } from "../world/index.ts";
import { podSettings } from "./connection-inputs.ts";
import type { PodOptions } from "./pod-inputs.ts";

/**
 * The container that the inputs lead to, found in its cluster; undefined where they name no pod.
 *
 * @throws {UserError} where the cluster does not answer or has no such pod.
 */
export async function podOf(options: PodOptions, world: World) {
  const settings = podSettings(options);
  if (settings === undefined) return undefined;
  const { connect } = await import("../kubernetes/index.ts");
  const { findPod } = await import("../place/index.ts");
  const cluster = await connect(settings, world);
  return { cluster, ...(await findPod(cluster, settings)) };
}
