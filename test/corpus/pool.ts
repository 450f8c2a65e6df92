import { setTimeout as sleep } from "node:timers/promises";

/**
 * Does the work for every item, at most so many at once, in their order. The first ones begin this
 * many milliseconds apart, so that what is alike does not come all at the same moment.
 */
export async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
  apart = 0,
): Promise<void> {
  const queue = items.values();
  const lane = async (_: unknown, number: number) => {
    await sleep(number * apart);
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }).map(lane));
}
