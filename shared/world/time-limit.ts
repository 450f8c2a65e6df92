import type { World } from "./world.ts";

/**
 * The same world, with work in it given up when the time is over.
 *
 * @param reason makes what the signal aborts with.
 */
export function withinTime(
  world: World,
  milliseconds: number,
  reason: () => Error,
): World & Disposable {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(reason()), milliseconds);
  timer.unref();
  return {
    ...world,
    signal: AbortSignal.any([world.signal, over.signal]),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
