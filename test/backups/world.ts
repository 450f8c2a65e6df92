import { Secrets } from "../../shared/secrets/index.ts";
import { silentLog, systemClock, type World } from "../../shared/world/index.ts";

/** A world in which nothing is cancelled, unless a signal is given. */
export function testWorld(signal: AbortSignal = new AbortController().signal): World {
  return {
    clock: systemClock,
    log: silentLog,
    secrets: new Secrets(),
    signal,
    aftermath: new AbortController().signal,
    environment: {},
  };
}
