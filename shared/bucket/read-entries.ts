import { createHash } from "node:crypto";
import type { OpenedBackup } from "../backup/index.ts";
import type { Entry, Pack } from "./entry.ts";

/** The objects of a part, as its listing has them. */
export interface Entries {
  readonly entries: readonly Entry[];
  /** Whether the listing is the one that was made with the part. */
  readonly isOwn: boolean;
}

/**
 * Reads the listing of a part.
 *
 * @throws {SyntaxError} where a line is none.
 */
export async function readEntries(
  backup: OpenedBackup,
  pack: Pack,
  signal: AbortSignal,
): Promise<Entries> {
  const sum = createHash("sha256");
  const chunks: Buffer[] = [];
  for await (const chunk of await backup.open(pack.listing, signal)) {
    sum.update(chunk as Buffer);
    chunks.push(chunk as Buffer);
  }
  const lines = Buffer.concat(chunks).toString("utf8").split("\n").slice(0, -1);
  const entries = lines.map((line) => JSON.parse(line) as Entry);
  return { entries, isOwn: sum.digest("hex") === pack.sha256 };
}
