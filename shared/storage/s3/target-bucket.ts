import { Readable } from "node:stream";
import type { World } from "../../world/index.ts";
import type { StorageSettings } from "../settings.ts";
import type { Refused, WriteOptions, Written } from "../storage.ts";
import { leashed } from "../transfer/leash.ts";
import type { look } from "./look.ts";
import { factsOf } from "./object.ts";
import { removeKeys } from "./remove.ts";
import {
  factsIn,
  type KeptObject,
  openForReading,
  type SourceBucket,
  tagsOf,
} from "./source-bucket.ts";
import type { UploadContext } from "./task.ts";
import { upload } from "./upload.ts";
import { parseXml, textIn } from "./xml.ts";

/** What is kept with an object beside its content. */
export type ObjectTraits = Partial<Pick<KeptObject, "type" | "headers" | "metadata" | "tags">>;

/** What a bucket says of an object without giving it. */
export interface SeenObject extends Required<Pick<KeptObject, "headers" | "metadata" | "tags">> {
  readonly type: string | undefined;
  readonly bytes: number;
  readonly etag: string;
  /** Of the whole content, 64 hexadecimal digits; undefined where the server does not tell it. */
  readonly sha256: string | undefined;
  readonly state: "ready" | "frozen" | "thawing";
  /** Why it cannot be deleted now; undefined where nothing speaks against it. */
  readonly lock: string | undefined;
}

/** A bucket whose objects are somebody else's, to be written. */
export interface TargetBucket extends SourceBucket {
  /**
   * What is said of an object; undefined where there is none.
   *
   * @param tags whether there should be some: not every server tells before it is asked.
   */
  look(key: string, tags: boolean, signal: AbortSignal): Promise<SeenObject | undefined>;
  /**
   * Writes an object in the place of whatever has its key, and holds the server's own word on it.
   *
   * @param content all of it, or a stream of it.
   */
  write(
    key: string,
    content: Readable | Buffer,
    traits: ObjectTraits,
    options: Pick<WriteOptions, "signal" | "onProgress">,
  ): Promise<Written>;
  /** Whether the server has told the SHA-256 of what was written; undefined before that. */
  readonly tellsSums: boolean | undefined;
  /** Removes objects; gives those that are not let go, each with its reason. */
  remove(keys: readonly string[], signal: AbortSignal): Promise<readonly Refused[]>;
  /** Whether what is replaced or removed stays as an earlier version; undefined where it is not told. */
  keepsVersions(signal: AbortSignal): Promise<boolean | undefined>;
}

/**
 * Opens a bucket to write objects with keys of their own.
 *
 * @param settings its location is `s3://bucket/prefix`.
 * @throws {UserError} where it is not there, or may not be listed.
 */
export async function openTargetBucket(
  settings: StorageSettings,
  world: World,
): Promise<TargetBucket> {
  const { source, client } = await openForReading(settings, world);
  const traits: UploadContext["traits"] = { sums: undefined, conditions: true };
  const place = `s3://${client.address.bucket}`;
  const context: UploadContext = { client, settings, world, traits, place };
  return {
    ...source,
    get tellsSums() {
      return traits.sums;
    },
    async look(key, tags, signal) {
      const answer = await client.ask({
        ...{ operation: "look", method: "HEAD", key, signal, expected: [404] },
        headers: { "x-amz-checksum-mode": "ENABLED" },
      });
      if (answer.status === 404) return undefined;
      const facts = factsOf(key, answer.headers);
      const isTagged = tags || Number(answer.headers["x-amz-tagging-count"] ?? 0) > 0;
      const found = isTagged ? await tagsOf(client, key, undefined, signal) : {};
      const { etag, state } = facts;
      const lock = lockOf(facts, world.clock.now());
      const sha256 = wholeSum(facts.sha256);
      return { ...factsIn(answer.headers), tags: found, etag, state, lock, sha256 };
    },
    write: (key, content, own, { signal, onProgress }) =>
      leashed(content, signal, async () => {
        const bytes = Buffer.isBuffer(content) ? Readable.from([content]) : content;
        const options = { signal, replace: true, ...(onProgress ? { onProgress } : {}) };
        return await upload(context, { key, name: key, own: headersOf(own) }, bytes, options);
      }),
    remove: (keys, signal) =>
      removeKeys(
        context,
        keys.map((key) => ({ key, name: key })),
        signal,
      ),
    async keepsVersions(signal) {
      const request = { operation: "look-at-versions", method: "GET", key: "", signal } as const;
      const answer = await client.ask({
        ...{ ...request, query: { versioning: "" }, expected: [403, 404, 405, 501] },
      });
      if (answer.status >= 300) return undefined;
      return textIn(parseXml(answer.text.trim()), "Status") === "Enabled";
    },
  };
}

/** A sum of sums, which has a number of parts behind it, says nothing of the content alone. */
function wholeSum(base64: string | undefined): string | undefined {
  if (base64 === undefined || !/^[A-Za-z0-9+/]{43}=$/.test(base64)) return undefined;
  return Buffer.from(base64, "base64").toString("hex");
}

function lockOf(
  { hold, lockedUntil, lockMode }: Exclude<Awaited<ReturnType<typeof look>>, undefined>,
  now: number,
): string | undefined {
  if (hold) return "it is under a legal hold";
  if (lockedUntil === undefined || lockedUntil <= now) return undefined;
  const mode = lockMode?.toLowerCase() ?? "object lock";
  return `it is locked (${mode}) until ${new Date(lockedUntil).toISOString()}`;
}

function headersOf({ type, headers, metadata, tags }: ObjectTraits): Record<string, string> {
  const named = Object.entries(metadata ?? {}).map(([name, value]) => [
    `x-amz-meta-${name}`,
    value,
  ]);
  const pairs = Object.entries(tags ?? {});
  return {
    ...(type === undefined ? {} : { "content-type": type }),
    ...headers,
    ...Object.fromEntries(named),
    ...(pairs.length === 0 ? {} : { "x-amz-tagging": new URLSearchParams(pairs).toString() }),
  };
}
