import { NotThere, type Storage } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import type { Ledger } from "./ledger.ts";

/** Early versions wrote the list of all files into it. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Reads what WAL-G writes when a backup is done: the object identifiers of its tablespaces. That it is
 * missing or broken goes to the ledger.
 *
 * Source: github.com/wal-g/wal-g, internal/databases/postgres, BackupSentinelDto and TablespaceSpec.
 */
export async function readSentinel(
  storage: Storage,
  label: string,
  ledger: Ledger,
  { signal }: World,
): Promise<readonly string[]> {
  const name = `basebackups_005/${label}_backup_stop_sentinel.json`;
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of await storage.read(name, { signal })) {
      parts.push(part);
      bytes += part.length;
      if (bytes > MOST_BYTES) break;
    }
  } catch (error) {
    if (!(error instanceof NotThere)) throw error;
    ledger.damage("members", name, "It is missing: WAL-G writes it when a backup is whole.");
    return [];
  }
  const tablespaces = tablespacesIn(Buffer.concat(parts).toString("utf8"));
  if (tablespaces !== undefined) return tablespaces;
  ledger.damage("structure", name, "It is no description of a backup as WAL-G writes it.");
  return [];
}

/** Undefined where it is no sentinel. */
export function tablespacesIn(text: string): readonly string[] | undefined {
  try {
    const sentinel: unknown = JSON.parse(text);
    if (typeof sentinel !== "object" || sentinel === null || !("LSN" in sentinel)) return undefined;
    const spec = "Spec" in sentinel ? sentinel.Spec : undefined;
    if (typeof spec !== "object" || spec === null || !("tablespaces" in spec)) return [];
    const oids: unknown = spec.tablespaces;
    const isPlain = (oid: unknown) => typeof oid === "string" && /^\d{1,10}$/.test(oid);
    return oids === null ? [] : Array.isArray(oids) && oids.every(isPlain) ? oids : undefined;
  } catch {
    return undefined;
  }
}
