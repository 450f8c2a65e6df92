import type { RespConnection } from "./resp.ts";

/** What a server says of itself. */
export interface ServerFacts {
  readonly version: string;
  readonly product: "redis" | "valkey";
  readonly mode: "standalone" | "cluster" | "sentinel";
  readonly runId: string;
  readonly role: string;
  readonly loading: boolean;
  readonly offset: number;
  readonly commands: number;
  readonly evicted: number;
  readonly expired: number;
  readonly maxmemory: number;
  readonly usedMemory: number;
  /** All memory of its machine; 0 where it does not say. */
  readonly systemMemory: number;
  readonly policy: string;
  readonly lastSave: string;
  readonly master: MasterLink | undefined;
  readonly keys: ReadonlyMap<number, number>;
}

/** Of a replica: how it does. */
export interface MasterLink {
  readonly address: string;
  readonly up: boolean;
  readonly syncing: boolean;
  /** Seconds since it heard from its master. */
  readonly silence: number;
  /** Bytes that it has received and not yet applied. */
  readonly unapplied: number;
}

/** @throws {RedisRefusal} where the server does not allow INFO. */
export async function askFacts(redis: RespConnection): Promise<ServerFacts> {
  return factsIn(await redis.text("INFO"));
}

/** Reads the answer to INFO. Source: redis.io, "INFO". */
export function factsIn(info: string): ServerFacts {
  const fields = new Map<string, string>();
  for (const [, name = "", value = ""] of info.matchAll(/^([^#:\r\n][^:\r\n]*):([^\r\n]*)/gm)) {
    fields.set(name, value);
  }
  const number = (name: string) => Number(fields.get(name) ?? 0) || 0;
  const mode = fields.get("redis_mode") ?? fields.get("server_mode") ?? "standalone";
  const keys = new Map<number, number>();
  for (const [name, value] of fields) {
    const [, database] = /^db(\d+)$/.exec(name) ?? [];
    const [, count] = /keys=(\d+)/.exec(value) ?? [];
    if (database !== undefined && count !== undefined) keys.set(Number(database), Number(count));
  }
  return {
    version: fields.get("valkey_version") ?? fields.get("redis_version") ?? "unknown",
    product: fields.has("valkey_version") ? "valkey" : "redis",
    mode: mode === "cluster" || mode === "sentinel" ? mode : "standalone",
    runId: fields.get("run_id") ?? "",
    role: fields.get("role") ?? "master",
    loading: number("loading") === 1,
    offset: number("master_repl_offset"),
    commands: number("total_commands_processed"),
    evicted: number("evicted_keys"),
    expired: number("expired_keys"),
    maxmemory: number("maxmemory"),
    usedMemory: number("used_memory"),
    systemMemory: number("total_system_memory"),
    policy: fields.get("maxmemory_policy") ?? "noeviction",
    lastSave: fields.get("rdb_last_bgsave_status") ?? "ok",
    master: linkIn(fields, number),
    keys,
  };
}

function linkIn(
  fields: ReadonlyMap<string, string>,
  number: (name: string) => number,
): MasterLink | undefined {
  if (fields.get("role") !== "slave") return undefined;
  const received = number("slave_read_repl_offset");
  return {
    address: `${fields.get("master_host") ?? "?"}:${fields.get("master_port") ?? "?"}`,
    up: fields.get("master_link_status") === "up",
    syncing: number("master_sync_in_progress") === 1,
    silence: number("master_last_io_seconds_ago"),
    unapplied: received === 0 ? 0 : Math.max(0, received - number("slave_repl_offset")),
  };
}
