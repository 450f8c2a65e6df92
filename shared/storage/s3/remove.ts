import { createHash } from "node:crypto";
import { describe, UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import type { Refused } from "../storage.ts";
import { bodyOf } from "../transfer/wire.ts";
import type { S3Client } from "./client.ts";
import { look } from "./look.ts";
import { S3Refusal } from "./refusal.ts";
import { allIn, escapedXml, parseXml, textIn } from "./xml.ts";

const BATCH = 1_000;
const AT_ONCE = 6;

export interface Removal {
  readonly client: S3Client;
  readonly world: Pick<World, "clock" | "log">;
  readonly place: string;
}

/** A key, and the name that it has for the storage's users. */
interface Entry {
  readonly key: string;
  readonly name: string;
}

/**
 * Removes objects. One that is locked is left as it is: in a bucket with versions a delete marker
 * would hide it, and free nothing.
 */
export async function removeKeys(
  removal: Removal,
  entries: readonly Entry[],
  signal: AbortSignal,
): Promise<readonly Refused[]> {
  const refused: Refused[] = [];
  const free: Entry[] = [];
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    const some = entries.slice(at, at + AT_ONCE);
    const reasons = await Promise.all(some.map(({ key }) => lockOn(removal, key, signal)));
    for (const [index, entry] of some.entries()) {
      const reason = reasons[index];
      if (reason === undefined) free.push(entry);
      else refused.push({ name: entry.name, reason });
    }
  }
  let hidden = 0;
  for (let at = 0; at < free.length; at += BATCH) {
    const batch = free.slice(at, at + BATCH);
    const done = await removeBatch(removal, batch, signal);
    hidden += done.hidden;
    refused.push(...done.refused);
  }
  if (hidden > 0) {
    removal.world.log.warning(
      `${removal.place} keeps versions: ${hidden} objects are hidden by delete markers now, and their bytes stay until a lifecycle rule for noncurrent versions (NoncurrentVersionExpiration) frees them.`,
    );
  }
  return refused;
}

/** Why an object is not to be deleted; undefined where nothing speaks against it, or is known. */
async function lockOn(
  { client, world }: Removal,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await look(client, key, signal).catch((error: unknown) => {
    if (error instanceof S3Refusal) return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if (found.hold) return "it is under a legal hold";
  if (found.lockedUntil === undefined || found.lockedUntil <= world.clock.now()) return undefined;
  const until = new Date(found.lockedUntil).toISOString();
  return `it is locked (${found.lockMode?.toLowerCase() ?? "object lock"}) until ${until}`;
}

interface Done {
  readonly hidden: number;
  readonly refused: readonly Refused[];
}

async function removeBatch(
  removal: Removal,
  batch: readonly Entry[],
  signal: AbortSignal,
): Promise<Done> {
  const keys = batch.map(({ key }) => `<Object><Key>${escapedXml(key)}</Key></Object>`);
  const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
  const xml = `<Delete xmlns="${namespace}">${keys.join("")}</Delete>`;
  const body = bodyOf(xml);
  const answer = await removal.client.ask({
    ...{ operation: "delete", method: "POST", key: "", query: { delete: "" }, body, signal },
    headers: {
      "content-type": "application/xml",
      "content-md5": createHash("md5").update(xml).digest("base64"),
      "x-amz-checksum-sha256": body.sha256.toString("base64"),
    },
    expectedCodes: ["NotImplemented", "MethodNotAllowed"],
  });
  if (answer.status >= 300) return oneByOne(removal, batch, signal);
  const root = parseXml(answer.text.trim());
  const names = new Map(batch.map(({ key, name }) => [key, name]));
  const refused = allIn(root, "Error").map((error) => ({
    name: names.get(textIn(error, "Key")) ?? textIn(error, "Key"),
    reason: [textIn(error, "Code"), textIn(error, "Message").replace(/\.$/, "")].join(": "),
  }));
  const deleted = allIn(root, "Deleted");
  const told = new Set([...deleted, ...allIn(root, "Error")].map((entry) => textIn(entry, "Key")));
  const silent = batch.filter(({ key }) => !told.has(key));
  return {
    hidden: deleted.filter((entry) => textIn(entry, "DeleteMarker") === "true").length,
    refused: [
      ...refused,
      ...silent.map(({ name }) => ({ name, reason: "the storage does not say that it is gone" })),
    ],
  };
}

/** For storages that do not know how to delete several at once. */
async function oneByOne(
  { client }: Removal,
  batch: readonly Entry[],
  signal: AbortSignal,
): Promise<Done> {
  const refused: Refused[] = [];
  let hidden = 0;
  for (const { key, name } of batch) {
    try {
      const request = { operation: "delete", method: "DELETE", key, signal } as const;
      const answer = await client.ask({ ...request, expected: [404] });
      if (answer.headers["x-amz-delete-marker"] === "true") hidden += 1;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UserError)) throw error;
      refused.push({ name, reason: describe(error.cause).replace(/\.$/, "") });
    }
  }
  return { hidden, refused };
}
