import type { Secrets } from "../secrets/index.ts";
import type { Clock, Log } from "../world/index.ts";
import type { Credentials } from "./credentials.ts";
import { Registry } from "./registry.ts";

export interface RegistriesAccess {
  /** Asked once for each registry, and only when that is spoken to. */
  readonly credentials: (host: string) => Promise<Credentials | undefined>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Hears of long waits. */
  readonly log?: Pick<Log, "info"> | undefined;
  /** How long nothing may move on a connection, in milliseconds; 30 s when left out. */
  readonly silence?: number | undefined;
}

/** The registries that a step speaks to, one `Registry` for each host. */
export class Registries implements Disposable {
  readonly #access: RegistriesAccess;
  readonly #known = new Map<string, Promise<Registry>>();
  readonly #open: Registry[] = [];

  constructor(access: RegistriesAccess) {
    this.#access = access;
  }

  /** @param host as in an image's name. Throws what the search for credentials throws. */
  of(host: string): Promise<Registry> {
    const known = this.#known.get(host);
    if (known !== undefined) return known;
    const made = this.#make(host);
    this.#known.set(host, made);
    made.catch(() => this.#known.delete(host));
    return made;
  }

  [Symbol.dispose](): void {
    for (const registry of this.#open) registry[Symbol.dispose]();
  }

  async #make(host: string): Promise<Registry> {
    const { credentials: find, ...rest } = this.#access;
    const registry = new Registry({ ...rest, host, credentials: await find(host) });
    this.#open.push(registry);
    return registry;
  }
}
