import { UserError } from "../failure/index.ts";
import type { World } from "../world/index.ts";
import type { SearchConnection } from "./connection.ts";
import { SearchRefusal } from "./refusal.ts";

const LEASE = "/seaworthy-lease-of-restores";
const LIVES_MS = 30_000;
const RENEW_MS = 8_000;

interface Held {
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Takes the right to restore into a cluster, and holds it until it is disposed of: an empty index
 * says who has it and for how long, and is renewed. That of a run that was killed is waited out.
 *
 * @throws {UserError} where somebody else has it and goes on having it.
 */
export async function takeSearchLease(
  cluster: SearchConnection,
  world: World,
): Promise<AsyncDisposable> {
  const { clock, environment, signal } = world;
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = environment;
  const by = repository === undefined ? "a run" : `run ${run ?? "?"} of ${repository}`;
  const meta = () => ({ _meta: { by, until: clock.now() + LIVES_MS } });
  let seen: Held | undefined;
  while (!(await made(cluster, meta()))) {
    const held = await heldBy(cluster);
    if (held === undefined) continue;
    if (seen !== undefined && held.until > seen.until) throw taken(cluster.place, held);
    if (seen === undefined) {
      world.log.info(
        `${held.by} restores into ${cluster.place}, or was killed: waiting to see which.`,
      );
    }
    seen = held;
    if (held.until < clock.now()) await cluster.find("DELETE", LEASE);
    else await clock.sleep(Math.min(RENEW_MS, held.until - clock.now() + 100), signal);
  }
  const over = new AbortController();
  void renew(cluster, meta, world, over.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await cluster.find("DELETE", LEASE, { signal: world.aftermath }).catch(() => undefined);
    },
  };
}

async function made(cluster: SearchConnection, mappings: unknown): Promise<boolean> {
  const settings = { number_of_shards: 1, auto_expand_replicas: "0-1" };
  try {
    await cluster.ask("PUT", LEASE, { body: { settings, mappings } });
    return true;
  } catch (error) {
    if (error instanceof SearchRefusal && /already_exists/.test(error.type)) return false;
    throw error;
  }
}

async function heldBy(cluster: SearchConnection): Promise<Held | undefined> {
  interface Answer {
    readonly mappings?: { readonly _meta?: Partial<Held> };
  }
  const answer = await cluster.find<Record<string, Answer>>("GET", `${LEASE}/_mapping`);
  if (answer === undefined) return undefined;
  const { by = "Somebody", until = 0 } = Object.values(answer)[0]?.mappings?._meta ?? {};
  return { by, until };
}

async function renew(
  cluster: SearchConnection,
  meta: () => unknown,
  { clock }: World,
  over: AbortSignal,
): Promise<void> {
  for (;;) {
    // Ends with the lease; what cannot be renewed is told by what else cannot be done.
    const isOver = await clock.sleep(RENEW_MS, over).then(
      () => false,
      () => true,
    );
    if (isOver) return;
    await cluster.ask("PUT", `${LEASE}/_mapping`, { body: meta(), signal: over }).catch(() => {});
  }
}

function taken(place: string, { by }: Held): UserError {
  return new UserError({
    title: "Another restore works on the cluster",
    cause: `${by} restores into ${place}, and goes on.`,
    remedy: "Wait until that is done, or cancel it, and run again. Nothing was changed.",
  });
}
