import { type Credentials, Registries, Registry } from "../../../shared/registry/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import type { Clock } from "../../../shared/world/index.ts";

/** A clock that waits next to nothing, and remembers how long it should have. */
export function quickClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => Date.now(),
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      slept.push(milliseconds);
      await new Promise((resolve) => setTimeout(resolve, milliseconds / 100));
    },
  };
}

/** What a client of a registry is made of. */
function access(credentials: Credentials | undefined, silence: number) {
  return { credentials, secrets: new Secrets(), clock: quickClock(), environment: {}, silence };
}

/** @param silence after which a registry that says nothing is asked anew, in milliseconds. */
export function client(host: string, credentials?: Credentials, silence = 20_000): Registry {
  return new Registry({ ...access(credentials, silence), host });
}

export function clients(): Registries {
  return new Registries({ ...access(undefined, 20_000), credentials: async () => undefined });
}
