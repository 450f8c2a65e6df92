import type { Journal } from "../../shared/journal/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Facts } from "./facts.ts";
import type { Options } from "./inputs.ts";
import type { Tools } from "./prepare.ts";

/** One run of the action: what was asked for, what it works with, and what it found out so far. */
export interface Run {
  readonly options: Options;
  readonly world: World;
  readonly journal: Journal;
  readonly facts: Facts;
  readonly tools: Tools;
}
