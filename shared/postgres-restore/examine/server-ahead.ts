import type { World } from "../../world/index.ts";
import { openThrowAway, type ThrowAwayServer, type ThrowAwaySettings } from "../throw-away.ts";

/** A server that is being started before it is known whether it is needed. */
export interface ServerAhead extends AsyncDisposable {
  /**
   * Gives it away, once, where its version is the one that is needed: whoever takes it disposes of it.
   *
   * @throws what it could not be started with.
   */
  take(major: number | undefined): Promise<ThrowAwayServer | undefined>;
}

/** Begins to start a throw-away server. Nobody is told that it failed but who wants to take it. */
export function startAhead(settings: ThrowAwaySettings, world: World): ServerAhead {
  let starting: Promise<ThrowAwayServer> | undefined = openThrowAway(settings, world);
  starting.catch(() => {});
  return {
    async take(major) {
      if (major !== settings.major) return undefined;
      const taken = starting;
      starting = undefined;
      return await taken;
    },
    async [Symbol.asyncDispose]() {
      const server = await starting?.catch(() => undefined);
      await server?.[Symbol.asyncDispose]();
    },
  };
}
