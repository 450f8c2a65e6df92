import { dial, endpointOf } from "./builder/address.ts";
import type { Kitchen } from "./run-bake.ts";

const PATIENCE_MS = 10_000;
const PAUSE_MS = 500;
const UNKNOWN_MS = 3_000;

/** Waits some seconds for a BuildKit that was lost; whether it answers again, as far as can be told. */
export async function builderReturns(kitchen: Kitchen): Promise<boolean> {
  const { builder, environment, clock, signal } = kitchen;
  const address = await endpointOf(builder, { ...process.env, ...environment });
  const until = clock.now() + PATIENCE_MS;
  const pause = (milliseconds: number) => clock.sleep(milliseconds, signal).catch(() => {});
  if (address === undefined || !/^(?:unix|tcp):/.test(address)) {
    await pause(UNKNOWN_MS);
    return !signal.aborted;
  }
  while (!signal.aborted) {
    if ((await dial(address)) === undefined) return true;
    if (clock.now() >= until) return false;
    await pause(PAUSE_MS);
  }
  return false;
}
