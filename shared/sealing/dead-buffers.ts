import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const EVERY_BYTES = 16 * 1024 * 1024;

let passed = 0;
let collect: (() => void) | undefined;

/**
 * Told of bytes that pass, it has dead buffers given back to the system now and then. V8 sees only
 * the small objects that hold them, and leaves some 80 MB of dead bytes lying about before it looks.
 * A look at what is young takes a fraction of a millisecond.
 */
export function notePassing(bytes: number): void {
  passed += bytes;
  if (passed < EVERY_BYTES) return;
  passed = 0;
  collect ??= collector();
  collect();
}

/** The flag that makes the collector callable can be set at any time, for contexts made later. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return typeof gc === "function" ? () => gc({ type: "minor" }) : () => {};
}
