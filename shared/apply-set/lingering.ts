/** Time for requests on their way when work is to stop; of the 5 s to put things right, a small part. */
const LINGER_MS = 1_000;

/**
 * A signal that aborts a moment after another one. Writes are bound to it: one that is on its way
 * when the job is cancelled is let come home, for a request that is cut off may still be carried
 * out, and then after what was to take it back.
 */
export function lingering(signal: AbortSignal): AbortSignal {
  const late = new AbortController();
  const abort = () => {
    setTimeout(() => late.abort(signal.reason), LINGER_MS).unref();
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return late.signal;
}
