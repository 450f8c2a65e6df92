import { UserError } from "../failure/index.ts";
import { openPortForward } from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";
import { type Address, addressOf, placeOf } from "./address.ts";
import { type Access, openRedis } from "./connect.ts";
import { versionOf } from "./dump-payload.ts";
import { RedisRefusal, type RespConnection } from "./resp.ts";
import { askFacts, type ServerFacts } from "./server-facts.ts";
import type { RedisSettings } from "./settings.ts";

/** A server that a backup is to be restored into. */
export interface RedisTarget extends AsyncDisposable {
  /** What is typed to say that it is meant: `cache.example:6379`, or `cache.example:6379/2`. */
  readonly name: string;
  /** For messages: `Redis at cache.example:6379`. */
  readonly words: string;
  /** The one database that is meant; all of them when undefined. */
  readonly database: number | undefined;
  readonly facts: ServerFacts;
  /** How many databases it has. */
  readonly databases: number;
  /** The version of the RDBs that it writes, and the newest that it reads; undefined if not known. */
  readonly rdbVersion: number | undefined;
  readonly redis: RespConnection;
  /** How it is backed up. */
  readonly settings: RedisSettings;
  /** A connection more, such as one for after the world's signal has aborted. */
  connect(signal: AbortSignal): Promise<RespConnection>;
}

const MOST_DATABASES = 16_384;

/**
 * Connects to a server that is to be restored into, and finds out what it is. Nothing is changed.
 *
 * @param database the number of the one that is meant, where the address names none.
 * @throws {UserError} where it cannot be reached, or cannot be restored into.
 */
export async function openRedisTarget(
  settings: RedisSettings & { readonly database?: number | undefined },
  world: World,
): Promise<RedisTarget> {
  const address = addressOf(settings);
  if (address.password !== undefined) world.secrets.add(address.password);
  const { reach, close, place } = await wayTo(settings, address, world);
  const database = address.database ?? settings.database;
  let redis: RespConnection | undefined;
  try {
    redis = await reach(world.signal);
    const facts = await factsOf(redis, place);
    requireServer(facts, place);
    const own = redis;
    return {
      name: database === undefined ? place : `${place}/${database}`,
      words: `${database === undefined ? "" : `database ${database} of `}${productOf(facts)} at ${place}`,
      ...{ database, facts, redis, settings, connect: reach },
      databases: await databasesOf(redis),
      rdbVersion: await rdbVersionOf(redis, facts),
      [Symbol.asyncDispose]: async () => {
        own.close();
        await close();
      },
    };
  } catch (error) {
    redis?.close();
    await close();
    throw error;
  }
}

/** `Redis` or `Valkey`. */
export function productOf({ product }: ServerFacts): string {
  return product === "valkey" ? "Valkey" : "Redis";
}

async function wayTo(settings: RedisSettings, address: Address, world: World) {
  const { pod } = settings;
  if (pod === undefined) {
    const reach = (signal: AbortSignal) => openRedis(address, { ...settings }, signal);
    return { reach, place: placeOf(address), close: async () => {} };
  }
  const { namespace, pod: name, cluster } = pod;
  const place = `${namespace}/${name}`;
  // Put right afterwards is also what a cancelled job has begun: the tunnel outlives its signal.
  const tunnel = await openPortForward(
    cluster,
    { namespace, pod: name, port: address.port },
    AbortSignal.any([world.aftermath]),
  );
  const access: Access = {
    ...{ ...settings, subject: `pod ${place}`, serverName: address.host },
    trouble: () => tunnel.lastError(),
  };
  const near = { ...address, host: tunnel.host, port: tunnel.port, socket: undefined };
  return {
    reach: (signal: AbortSignal) => openRedis(near, access, signal),
    ...{ place, close: () => tunnel.close() },
  };
}

async function factsOf(redis: RespConnection, place: string): Promise<ServerFacts> {
  try {
    return await askFacts(redis);
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw error;
    throw new UserError({
      title: `Redis at ${place} tells nothing of itself`,
      cause: `It says: ${error.message}`,
      remedy: "Allow that user the command info. Nothing was changed.",
    });
  }
}

/** @throws {UserError} for servers that keep no data of their own, or take no changes. */
function requireServer(facts: ServerFacts, place: string): void {
  const refuse = (title: string, cause: string, remedy: string) => {
    throw new UserError({ title, cause, remedy: `${remedy} Nothing was changed.` });
  };
  if (facts.mode === "sentinel") {
    const remedy = "Give the address of the master that it watches.";
    refuse("The target is a Sentinel", `A Sentinel is at ${place}, which keeps no keys.`, remedy);
  }
  if (facts.mode === "cluster") {
    refuse(
      "The target is a node of a cluster",
      `${place} serves a part of a cluster's slots. A cluster has one database, so that nothing can be restored beside what is there and switched.`,
      "Restore into a server that is no cluster, and move the keys from there (redis-cli --cluster import); docs/backup-format.md has another way.",
    );
  }
  if (facts.master !== undefined) {
    const cause = `${place} follows ${facts.master.address}, and takes no changes of its own.`;
    refuse("The target is a replica", cause, `Give the address of ${facts.master.address}.`);
  }
}

/** Asked by its configuration, else by trying, for services that hide their configuration. */
async function databasesOf(redis: RespConnection): Promise<number> {
  const reply = await redis.ask("CONFIG", "GET", "databases").catch(orRefusal);
  const [, told] = Array.isArray(reply) ? reply.map(String) : [];
  if (told !== undefined && Number(told) > 0) return Number(told);
  const has = async (number: number) =>
    !((await redis.ask("SELECT", String(number)).catch(orRefusal)) instanceof RedisRefusal);
  let [known, missing] = [0, 1];
  while (missing < MOST_DATABASES && (await has(missing)))
    [known, missing] = [missing, missing * 2];
  while (missing - known > 1) {
    const middle = Math.floor((known + missing) / 2);
    if (await has(middle)) known = middle;
    else missing = middle;
  }
  await redis.ask("SELECT", "0");
  return missing;
}

function orRefusal(error: unknown): RedisRefusal {
  if (error instanceof RedisRefusal) return error;
  throw error;
}

/** By releases, for those that have no functions to ask for. Source: their src/rdb.h. */
const OLDER: Readonly<Record<string, number>> = { "4": 8, "5": 9, "6": 9, "7": 10 };

async function rdbVersionOf(
  redis: RespConnection,
  { version }: ServerFacts,
): Promise<number | undefined> {
  const reply = await redis.ask("FUNCTION", "DUMP").catch(orRefusal);
  const told = Buffer.isBuffer(reply) ? versionOf(reply) : undefined;
  return told ?? OLDER[version.split(".")[0] ?? ""];
}
