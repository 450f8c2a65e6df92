/**
 * Does work on each item as it comes, some at once. The first failure ends all of it: nothing is
 * at work any more when this is over.
 *
 * @param most items at work at once.
 */
export async function inFlight<T>(
  items: AsyncGenerator<T>,
  most: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const halt = new AbortController();
  const either = AbortSignal.any([signal, halt.signal]);
  const flying = new Set<Promise<void>>();
  try {
    for await (const item of items) {
      const flight = work(item, either).finally(() => flying.delete(flight));
      // Its failure is met below, and not before somebody waits for it.
      flight.catch((error: unknown) => halt.abort(error));
      flying.add(flight);
      if (flying.size >= most) await Promise.race(flying);
      either.throwIfAborted();
    }
    await Promise.all(flying);
  } catch (error) {
    halt.abort(error);
    await Promise.allSettled(flying);
    await items.return(undefined).catch(() => {});
    signal.throwIfAborted();
    throw halt.signal.reason;
  }
}
