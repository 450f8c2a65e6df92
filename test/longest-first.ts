import { createRequire } from "node:module";
import { join, relative } from "node:path";
import type sequencer from "@jest/test-sequencer";
import { readDurations } from "./durations.ts";

// Its types are those of a CommonJS module, and so it is taken.
const { default: Sequencer } = createRequire(import.meta.url)(
  "@jest/test-sequencer",
) as typeof sequencer;

const ROOT = join(import.meta.dirname, "..");

type Tests = Parameters<InstanceType<typeof Sequencer>["sort"]>[0];

/**
 * The order in which jest starts the files of tests: first those of which it is noted that they
 * take long, the rest as jest would have them. A machine that runs all for the first time knows
 * nothing of its own, and would begin the longest when the others have ended.
 */
export default class LongestFirst extends Sequencer {
  readonly #seconds = readDurations();

  override async sort(tests: Tests): Promise<Tests> {
    const secondsOf = ({ path }: Tests[number]) => this.#seconds[relative(ROOT, path)] ?? 0;
    const usual = await super.sort(tests);
    return [...usual].sort((one, other) => secondsOf(other) - secondsOf(one));
  }
}
