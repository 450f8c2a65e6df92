import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const EVERY_BYTES = 16 * 1024 * 1024;
/** What may gather among the old before it is looked for there, too. */
const MOST_OLD_BYTES = 12 * 1024 * 1024;

let passed = 0;
let collector: Collector | undefined;

/**
 * Told of bytes that pass, it has dead buffers given back to the system now and then. V8 sees only
 * the small objects that hold them, and leaves some 80 MB of dead bytes lying about before it looks.
 * A look at what is young takes a fraction of a millisecond. Some buffers wait somewhere at two such
 * looks, count as old from then on, and are found by a look at everything only: that takes some ten
 * milliseconds, and is due once for some hundred megabytes that pass.
 */
export function notePassing(bytes: number): void {
  passed += bytes;
  if (passed < EVERY_BYTES) return;
  passed = 0;
  collector ??= new Collector();
  collector.collect();
}

class Collector {
  readonly #gc = collectorOfV8();
  /** What was still in use after the last look at everything. */
  #used = Number.POSITIVE_INFINITY;

  collect(): void {
    this.#gc({ type: "minor" });
    const bytes = external();
    this.#used = Math.min(this.#used, bytes);
    if (bytes < this.#used + MOST_OLD_BYTES) return;
    this.#gc({ type: "major" });
    this.#used = external();
  }
}

/** Bytes of buffers, in use or dead. */
function external(): number {
  return getHeapStatistics().external_memory;
}

type Gc = (options: { readonly type: "minor" | "major" }) => void;

/** The flag that makes the collector callable can be set at any time, for contexts made later. */
function collectorOfV8(): Gc {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return typeof gc === "function" ? (gc as Gc) : () => {};
}
