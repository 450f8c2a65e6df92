import type { Journal } from "../../shared/journal/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Order } from "./sources.ts";
import type { Workshop } from "./workshop.ts";

/** What every phase of the step works with. */
export interface Step {
  readonly options: Options;
  /** What is to be built. */
  readonly order: Order;
  readonly workshop: Workshop;
  readonly world: World;
  readonly journal: Journal;
  /** The digests of base images by their names, as the registries told them at the first question. */
  readonly baseDigests: Map<string, Promise<string>>;
  /** Epoch milliseconds. */
  readonly began: number;
}
