import type { Dump } from "../dump-format/index.ts";
import type { World } from "../world/index.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import type { Ledger } from "./ledger.ts";
import type { Decrypt } from "./plain-content.ts";
import { type BaseFacts, readBase } from "./read-base.ts";
import type { WalFile } from "./wal-archive.ts";

/** A base backup, as pg_basebackup writes it, and the WAL that goes with it. */
export interface BaseFiles {
  readonly base: Dump;
  /** The archive; undefined where only the WAL within the base backup is meant. */
  readonly archived: readonly WalFile[] | undefined;
}

/** What was got, and where its WAL is. */
export type Fetched = BaseFacts & { readonly archived: readonly WalFile[] | undefined };

/**
 * Gets a physical backup and holds every byte of it to what it says of itself; unpacks it into the
 * folder where that is wanted. What is wrong goes to the ledger.
 */
export type Fetch = (folder: ClusterFolder, unpack: boolean, ledger: Ledger) => Promise<Fetched>;

/** From files of pg_basebackup. */
export function fetchBase(
  { base, archived }: BaseFiles,
  decrypt: Decrypt | undefined,
  world: World,
): Fetch {
  return async (folder, unpack, ledger) => ({
    ...(await readBase(base, { folder, unpack, decrypt }, ledger, world)),
    archived,
  });
}
