import { UserError } from "../failure/index.ts";
import { RedisRefusal, type Reply, type RespConnection } from "./resp.ts";

const SLOTS = 16_384;

/** A master of a cluster, with the slots that it serves. */
export interface ClusterNode {
  readonly host: string;
  readonly port: number;
  readonly id: string;
  readonly slots: readonly (readonly [from: number, to: number])[];
}

/**
 * Asks a node of a cluster for all masters.
 *
 * @param host of the node that is asked, which it may leave out of its answer.
 * @throws {UserError} when a slot is served by nobody, or the cluster is down.
 */
export async function askMasters(
  redis: RespConnection,
  host: string,
  subject: string,
): Promise<readonly ClusterNode[]> {
  let reply: Reply;
  try {
    reply = await redis.ask("CLUSTER", "SLOTS");
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw error;
    throw new UserError({
      title: `The cluster at ${subject} does not say which masters it has`,
      cause: `It says: ${error.message}`,
      remedy: "Allow that user the command cluster|slots.",
    });
  }
  const nodes = mastersIn(reply, host);
  const missing = uncovered(nodes);
  if (missing !== undefined) {
    throw new UserError({
      title: `The cluster at ${subject} is not whole`,
      cause: `Nobody serves ${missing}, so that the keys in them cannot be backed up.`,
      remedy: "Mend the cluster (redis-cli --cluster check), and run this again.",
    });
  }
  return nodes;
}

/** Reads the answer to CLUSTER SLOTS. Source: redis.io, "CLUSTER SLOTS". */
export function mastersIn(reply: Reply, host: string): ClusterNode[] {
  const nodes = new Map<string, { node: ClusterNode; slots: [number, number][] }>();
  for (const range of Array.isArray(reply) ? (reply as readonly Reply[]) : []) {
    const [from, to, master] = Array.isArray(range) ? (range as readonly Reply[]) : [];
    const [address, port, id] = Array.isArray(master) ? (master as readonly Reply[]) : [];
    if (typeof from !== "number" || typeof to !== "number" || typeof port !== "number") continue;
    const written = Buffer.isBuffer(address) ? address.toString("utf8") : "";
    const own = written === "" || written === "?" ? host : written;
    const name = Buffer.isBuffer(id) ? id.toString("utf8") : `${own}:${port}`;
    const slots = nodes.get(name)?.slots ?? [];
    slots.push([from, to]);
    nodes.set(name, { node: { host: own, port, id: name, slots }, slots });
  }
  return [...nodes.values()]
    .map(({ node, slots }) => ({ ...node, slots: slots.sort(([a], [b]) => a - b) }))
    .sort((a, b) => (a.slots[0]?.[0] ?? 0) - (b.slots[0]?.[0] ?? 0));
}

/** The first slots that nobody serves, in words. */
export function uncovered(nodes: readonly ClusterNode[]): string | undefined {
  const served = new Uint8Array(SLOTS);
  for (const { slots } of nodes) for (const [from, to] of slots) served.fill(1, from, to + 1);
  const from = served.indexOf(0);
  if (from < 0) return undefined;
  const next = served.indexOf(1, from);
  const to = next < 0 ? SLOTS - 1 : next - 1;
  return from === to ? `slot ${from}` : `slots ${from} to ${to}`;
}

/** Whether two answers show the same masters with the same slots. */
export function sameLayout(a: readonly ClusterNode[], b: readonly ClusterNode[]): boolean {
  const plain = (nodes: readonly ClusterNode[]) =>
    JSON.stringify(nodes.map(({ id, slots }) => ({ id, slots })));
  return plain(a) === plain(b);
}
