import type { Readable } from "node:stream";

/**
 * Ends a source as soon as a signal aborts, also one that says nothing at the moment, and in any
 * case when the work is over.
 */
export async function leashed<T>(
  source: Readable | Buffer,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  if (Buffer.isBuffer(source)) return work();
  const end = () => source.destroy(asError(signal.reason));
  // What it fails with is told by whoever reads it.
  source.on("error", () => {});
  signal.addEventListener("abort", end, { once: true });
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", end);
    source.destroy();
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("cancelled");
}
