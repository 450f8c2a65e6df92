import {
  type BakeResult,
  type BakeTarget,
  type BuildEvent,
  type Builder,
  type BuilderExecution,
  bake,
} from "../../shared/buildkit/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Registries } from "../../shared/registry/index.ts";
import type { World } from "../../shared/world/index.ts";
import { bakeByPlatform } from "./bake-by-platform.ts";

export interface BakeOrder {
  /** The longest that one target may take, in milliseconds, where it says nothing of its own. */
  readonly timeout: number;
  readonly onEvent: (name: string, event: BuildEvent) => void;
}

/** Starts the builder and has buildx bake; where that cannot be, each target has failed by it. */
export async function bakeBy(
  builder: Builder,
  targets: readonly BakeTarget[],
  order: BakeOrder,
  { registries, ...execution }: BuilderExecution & { readonly registries: Registries },
  { clock }: World,
): Promise<readonly BakeResult[]> {
  const began = clock.now();
  try {
    const { name, environment, nodes } = await builder.start();
    const { buildx, docker, folder, signal, secrets } = execution;
    const where = { buildx, builder: name, environment: { ...docker, ...environment }, folder };
    const all = (wanted: readonly BakeTarget[], onEvent: BakeOrder["onEvent"]) =>
      bake(wanted, { ...where, signal, secrets, clock, ...order, onEvent });
    if (nodes < 2) return await all(targets, order.onEvent);
    return await bakeByPlatform(targets, order.onEvent, all, registries, signal);
  } catch (failure) {
    if (!(failure instanceof UserError)) throw failure;
    const [steps, ended] = [{ done: 0, cached: 0, total: 0 }, clock.now()];
    const nothing = { digest: undefined, steps, began, ended, attempts: 0 };
    return targets.map(({ name }) => ({ name, ...nothing, failure }));
  }
}
