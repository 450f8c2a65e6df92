import {
  type KeptParts,
  keepParts,
  roomForCopies,
  type StoredBackup,
} from "../../shared/backup/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/** A plain dump is restored as it streams. Beside its copy, the database and its log need room. */
const ROOM_FOR_PLAIN = 4;

/**
 * Copies of what a restore reads again, made while the seal is examined: the storage is read once.
 * None where nothing is restored, and where what needs no copy finds no room for one.
 *
 * @throws {UserError} where the disk has no room for what pg_restore has to seek in.
 */
export async function copiesFor(
  backup: StoredBackup,
  { tier, server }: Options,
  { log }: World,
): Promise<KeptParts | undefined> {
  const { kind, parts, fingerprint } = backup.manifest;
  if (tier === "integrity" || kind !== "postgres") return undefined;
  const dump = parts.filter(({ name }) => name.startsWith("dump"));
  const bytes = dump.reduce((sum, part) => sum + part.bytes, 0);
  const isPlain = dump.every(({ name }) => name === "dump.sql");
  const isElsewhere = server === "job" || server === "docker";
  const needed = isPlain ? ROOM_FOR_PLAIN * bytes : bytes;
  if ((isPlain || isElsewhere) && (await roomForCopies()) < needed) {
    log.info("There is no room for a copy on this machine: the storage is read once more.");
    return undefined;
  }
  return await keepParts(
    backup,
    [...dump, fingerprint].map(({ name }) => name),
  );
}
