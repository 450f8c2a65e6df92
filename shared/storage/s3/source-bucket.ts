import type { Readable } from "node:stream";
import { UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import { parseLocation } from "../location.ts";
import type { StorageSettings } from "../settings.ts";
import type { StoredObject } from "../storage.ts";
import { addressOf } from "./address.ts";
import { S3Client } from "./client.ts";
import { download } from "./download.ts";
import { checkBucket } from "./list.ts";
import { stateOf } from "./object.ts";
import { certificates } from "./s3-storage.ts";
import { allIn, type Element, parseXml, textIn } from "./xml.ts";

/** A bucket whose objects somebody else keeps: any key, any version, and what is said of them. */
export interface SourceBucket extends Disposable {
  /** `s3://bucket/prefix`. */
  readonly place: string;
  readonly prefix: string;
  /** Objects under the prefix by their whole keys; with all versions where asked for. */
  list(versions: boolean, signal: AbortSignal): AsyncIterable<ListedObject>;
  /** @throws {NotThere} when it is gone; {UserError} when it may not be read. */
  read(object: Pick<ListedObject, "key" | "version">, signal: AbortSignal): Promise<KeptObject>;
}

export interface ListedObject {
  readonly key: string;
  /** Undefined where versions were not asked for. */
  readonly version: string | undefined;
  /** Whether it is the version that the key shows. */
  readonly latest: boolean;
  /** The mark of a deletion, which has no content. */
  readonly marker: boolean;
  readonly bytes: number;
  readonly etag: string;
  readonly modified: number;
  readonly state: StoredObject["state"];
}

/** An object as it is read: what is said of it, and its bytes. */
export interface KeptObject {
  readonly bytes: number;
  readonly etag: string;
  readonly type: string | undefined;
  /** Headers that are kept with it, such as `cache-control`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly content: Readable;
}

const KEPT_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
  "x-amz-website-redirect-location",
];
const METADATA = "x-amz-meta-";

/**
 * Opens a bucket to read it.
 *
 * @param settings its location is `s3://bucket/prefix`.
 * @throws {UserError} where it is not there, or may not be listed.
 */
export async function openSourceBucket(
  settings: StorageSettings,
  world: World,
): Promise<SourceBucket> {
  const { source } = await openForReading(settings, world);
  return source;
}

/** The same, with the client by which it is read. */
export async function openForReading(
  settings: StorageSettings,
  world: World,
): Promise<{ readonly source: SourceBucket; readonly client: S3Client }> {
  const location = parseLocation(settings.location, ".");
  if (location.kind !== "s3") {
    throw new UserError({
      title: "No bucket was named",
      cause: `${settings.location} names no bucket.`,
      remedy: "Write it as s3://bucket or s3://bucket/prefix.",
    });
  }
  const address = addressOf(location.bucket, settings, world.environment);
  const client = new S3Client(address, settings, world, await certificates(settings, world));
  const { bucket, prefix } = location;
  const place = `s3://${bucket}/${prefix}`.replace(/\/$/, "");
  await checkBucket(client, prefix, world.signal);
  const source: SourceBucket = {
    place,
    prefix,
    list: (versions, signal) => listAll(client, prefix, versions, signal),
    read: async ({ key, version }, signal) => {
      let headers: Readonly<Record<string, string>> = {};
      const content = await download(
        { client, world, place: `s3://${bucket}` },
        {
          ...{ key, name: key, from: 0, to: undefined, signal, version },
          onFacts: (found) => {
            headers = found;
          },
        },
      );
      const tagged = Number(headers["x-amz-tagging-count"] ?? 0) > 0;
      const tags = tagged ? await tagsOf(client, key, version, signal) : {};
      return { ...factsIn(headers), tags, content };
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
  return { source, client };
}

export function factsIn(
  headers: Readonly<Record<string, string>>,
): Pick<KeptObject, "bytes" | "etag" | "type" | "headers" | "metadata"> {
  const entries = Object.entries(headers);
  return {
    bytes: Number(headers["content-length"] ?? 0),
    etag: (headers.etag ?? "").replaceAll('"', ""),
    type: headers["content-type"],
    headers: Object.fromEntries(entries.filter(([name]) => KEPT_HEADERS.includes(name))),
    metadata: Object.fromEntries(
      entries
        .filter(([name]) => name.startsWith(METADATA))
        .map(([name, value]) => [name.slice(METADATA.length), value]),
    ),
  };
}

export async function tagsOf(
  client: S3Client,
  key: string,
  version: string | undefined,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const query = { tagging: "", ...(version === undefined ? {} : { versionId: version }) };
  const { text } = await client.ask({
    ...{ operation: "look-at-tags", method: "GET", key, query, signal },
  });
  const [set] = allIn(parseXml(text.trim()), "TagSet");
  return Object.fromEntries(
    allIn(set, "Tag").map((tag) => [textIn(tag, "Key"), textIn(tag, "Value")]),
  );
}

async function* listAll(
  client: S3Client,
  prefix: string,
  versions: boolean,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  let from: Readonly<Record<string, string>> | undefined = {};
  while (from !== undefined) {
    const page: Element = await pageOf(client, prefix, versions, from, signal);
    const isEncoded = textIn(page, "EncodingType") === "url";
    for (const entry of page.children) {
      if (["Contents", "Version", "DeleteMarker"].includes(entry.name)) {
        yield listed(entry, isEncoded, versions);
      }
    }
    from = nextPage(page, versions, isEncoded);
  }
}

async function pageOf(
  client: S3Client,
  prefix: string,
  versions: boolean,
  from: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Element> {
  const kind: Record<string, string> = versions ? { versions: "" } : { "list-type": "2" };
  const answer = await client.ask({
    ...{ operation: versions ? "list-versions" : "list", method: "GET", key: "", signal },
    query: { ...kind, "encoding-type": "url", prefix, "max-keys": "1000", ...from },
    headers: { "x-amz-optional-object-attributes": "RestoreStatus" },
  });
  const root = parseXml(answer.text.trim());
  if (root?.name === (versions ? "ListVersionsResult" : "ListBucketResult")) return root;
  throw new UserError({
    title: "The bucket cannot be listed",
    cause: `${client.address.base.origin} answered ${answer.status} with no list of ${client.address.bucket}.`,
    remedy: "Check that the endpoint is one of an S3-compatible storage, and not of its console.",
  });
}

/** Where the next page begins; undefined after the last one. */
function nextPage(
  page: Element,
  versions: boolean,
  isEncoded: boolean,
): Readonly<Record<string, string>> | undefined {
  if (textIn(page, "IsTruncated") !== "true") return undefined;
  const key = decoded(textIn(page, "NextKeyMarker"), isEncoded);
  const token = textIn(page, "NextContinuationToken");
  if ((versions ? key : token) === "") {
    throw new UserError({
      title: "The bucket cannot be listed whole",
      cause: "Its list goes on, and the server does not say where.",
      remedy: "Check that the endpoint is one of an S3-compatible storage.",
    });
  }
  if (!versions) return { "continuation-token": token };
  const version = textIn(page, "NextVersionIdMarker");
  return { "key-marker": key, ...(version === "" ? {} : { "version-id-marker": version }) };
}

function listed(entry: Element, isEncoded: boolean, versions: boolean): ListedObject {
  const [restore] = allIn(entry, "RestoreStatus");
  const words = restore && `ongoing-request="${textIn(restore, "IsRestoreInProgress")}"`;
  const marker = entry.name === "DeleteMarker";
  return {
    key: decoded(textIn(entry, "Key"), isEncoded),
    version: versions ? textIn(entry, "VersionId") : undefined,
    latest: !versions || textIn(entry, "IsLatest") === "true",
    marker,
    bytes: Number(textIn(entry, "Size")),
    etag: textIn(entry, "ETag").replaceAll('"', ""),
    modified: Date.parse(textIn(entry, "LastModified")) || 0,
    state: marker ? "ready" : stateOf(textIn(entry, "StorageClass"), undefined, words),
  };
}

function decoded(text: string, isEncoded: boolean): string {
  return isEncoded ? decodeURIComponent(text.replaceAll("+", " ")) : text;
}
