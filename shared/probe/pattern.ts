import { Script } from "node:vm";
import { codeOf } from "../failure/index.ts";

/** Long for any sane pattern and a MiB of text, short beside the time a runner gives to cancel. */
const LONGEST_MS = 1_000;

const testing = new Script("pattern.test(text)");

/**
 * Holds a text against a pattern, for at most a second: a pattern such as `(a+)+$` can take
 * longer than the universe is old, and nothing else runs meanwhile.
 */
export function test(pattern: RegExp, text: string): "matches" | "differs" | "takes too long" {
  try {
    // Of all that Node offers, only the virtual machine's timeout ends a match under way.
    const found: unknown = testing.runInNewContext({ pattern, text }, { timeout: LONGEST_MS });
    return found === true ? "matches" : "differs";
  } catch (error) {
    if (codeOf(error) === "ERR_SCRIPT_EXECUTION_TIMEOUT") return "takes too long";
    throw error;
  }
}
