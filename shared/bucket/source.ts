import { createHash } from "node:crypto";
import { matchesGlob } from "node:path";
import { Readable } from "node:stream";
import type { BackupSource, Captured, PartSink } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import {
  type KeptObject,
  type ListedObject,
  NotThere,
  openSourceBucket,
  type SourceBucket,
  type StorageSettings,
} from "../storage/index.ts";
import type { World } from "../world/index.ts";
import type { BucketFingerprint, Entry, Pack } from "./entry.ts";

export interface BucketSettings
  extends Pick<
    StorageSettings,
    | "endpoint"
    | "region"
    | "pathStyle"
    | "accessKeyId"
    | "secretAccessKey"
    | "sessionToken"
    | "role"
    | "ca"
  > {
  /** `s3://bucket` or `s3://bucket/prefix`. */
  readonly location: string;
  /** Whether earlier versions and marks of deletions are kept too. */
  readonly versions?: boolean | undefined;
  /** Patterns of keys that are left out; `*` stays within a folder, `**` does not. */
  readonly exclude?: readonly string[] | undefined;
  /** Only objects with these keys, whole. */
  readonly only?: ReadonlySet<string> | undefined;
}

const LANES = 8;
/** A part is full with so many bytes or objects: whoever wants one object reads no more than that. */
const FULL_BYTES = 256 * 1024 * 1024;
const FULL_OBJECTS = 10_000;

/** A bucket of S3 or of a server that speaks like it, as a source of backups. It is only read. */
export function bucketSource(settings: BucketSettings): BackupSource {
  return {
    kind: "bucket",
    subject: `bucket ${settings.location}`,
    async capture(sink, world) {
      using bucket = await openSourceBucket(settings, world);
      return await new Mirror(bucket, settings, sink, world).capture();
    },
  };
}

class Mirror {
  readonly #bucket: SourceBucket;
  readonly #settings: BucketSettings;
  readonly #sink: PartSink;
  readonly #world: World;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #objects: AsyncIterator<ListedObject>;
  readonly #packs: Pack[] = [];
  readonly #vanished: string[] = [];
  readonly #changed: string[] = [];
  readonly #patterns: readonly string[];
  #turn: Promise<unknown> = Promise.resolve();
  #number = 0;
  #excluded = 0;

  constructor(bucket: SourceBucket, settings: BucketSettings, sink: PartSink, world: World) {
    this.#bucket = bucket;
    this.#settings = settings;
    this.#sink = sink;
    this.#world = world;
    this.#signal = AbortSignal.any([world.signal, this.#stop.signal]);
    this.#patterns = (settings.exclude ?? []).map((pattern) => pattern.trim()).filter(Boolean);
    const listed = bucket.list(settings.versions ?? false, this.#signal);
    this.#objects = listed[Symbol.asyncIterator]();
  }

  async capture(): Promise<Captured> {
    const taken = this.#world.clock.now();
    let first: { readonly error: unknown } | undefined;
    const lanes = Array.from({ length: LANES }, () =>
      this.#lane().catch((error: unknown) => {
        first ??= { error };
        this.#stop.abort(error);
      }),
    );
    await Promise.all(lanes);
    this.#world.signal.throwIfAborted();
    if (first !== undefined) throw first.error;
    return this.#captured(taken);
  }

  /** Fills one part after the other, as long as there are objects. */
  async #lane(): Promise<void> {
    for (;;) {
      const first = await this.#next();
      if (first === undefined) return;
      await this.#pack(first);
    }
  }

  /** The next object of the list, which all lanes share. */
  #next(): Promise<ListedObject | undefined> {
    const turn = this.#turn.then(async () => {
      for (;;) {
        const { done, value } = await this.#objects.next();
        if (done === true) return undefined;
        if (this.#settings.only?.has(value.key) === false) continue;
        if (!this.#leavesOut(value)) return value;
        this.#excluded += 1;
      }
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #leavesOut({ key }: ListedObject): boolean {
    const path = key.slice(this.#bucket.prefix.length).replace(/\/$/, "");
    return this.#patterns.some((pattern) => matchesGlob(path, pattern.replace(/^\//, "")));
  }

  async #pack(first: ListedObject): Promise<void> {
    this.#number += 1;
    const name = `objects/${String(this.#number).padStart(6, "0")}`;
    const lines: string[] = [];
    let bytes = 0;
    const copy = this.#copy.bind(this);
    const next = this.#next.bind(this);
    async function* content(): AsyncGenerator<Buffer> {
      let object: ListedObject | undefined = first;
      while (object !== undefined) {
        const entry: Entry | undefined = yield* copy(object);
        if (entry !== undefined) {
          lines.push(`${JSON.stringify(entry)}\n`);
          bytes += entry.size;
        }
        object = bytes < FULL_BYTES && lines.length < FULL_OBJECTS ? await next() : undefined;
      }
    }
    const part = `${name}.bin`;
    const listing = `${name}.jsonl`;
    await this.#sink.write(part, Readable.from(content(), { objectMode: false }));
    const text = Buffer.from(lines.join(""));
    await this.#sink.write(listing, Readable.from([text], { objectMode: false }));
    const sha256 = createHash("sha256").update(text).digest("hex");
    this.#packs.push({ part, listing, objects: lines.length, bytes, sha256 });
  }

  /** Gives an object's bytes; at the end what is known of it. Undefined where it has vanished. */
  async *#copy(object: ListedObject): AsyncGenerator<Buffer, Entry | undefined> {
    if (object.marker) return entryOf(object, undefined, undefined, 0);
    if (object.state !== "ready") throw frozen(object, this.#bucket.place);
    let kept: KeptObject;
    try {
      kept = await this.#bucket.read(object, this.#signal);
    } catch (error) {
      if (!(error instanceof NotThere)) throw error;
      this.#vanished.push(object.key);
      return undefined;
    }
    if (kept.etag !== object.etag) this.#changed.push(object.key);
    const sum = createHash("sha256");
    let size = 0;
    for await (const chunk of kept.content) {
      const bytes = chunk as Buffer;
      sum.update(bytes);
      size += bytes.length;
      if (bytes.length > 0) yield bytes;
    }
    if (size !== kept.bytes) throw cutShort(object, kept.bytes, size);
    return entryOf(object, kept, sum.digest("hex"), size);
  }

  #captured(taken: number): Captured {
    const packs = this.#packs.toSorted((a, b) => a.part.localeCompare(b.part));
    const objects = packs.reduce((sum, pack) => sum + pack.objects, 0);
    const bytes = packs.reduce((sum, pack) => sum + pack.bytes, 0);
    const fingerprint: BucketFingerprint = {
      schema: 1,
      kind: "bucket",
      place: this.#bucket.place,
      versions: this.#settings.versions ?? false,
      objects,
      bytes,
      packs,
    };
    const { endpoint, versions, only } = this.#settings;
    return {
      fingerprint,
      source: {
        bucket: this.#bucket.place,
        ...(endpoint ? { endpoint } : {}),
        versions: versions ? "all" : "current",
      },
      taken,
      measures: { objects, bytes },
      excluded: [
        ...(only === undefined
          ? []
          : [`all but ${only.size} objects that are replaced or removed`]),
        ...this.#patterns.map((pattern) => `keys like ${pattern}`),
      ],
      notes: [
        ...named(this.#vanished, "objects were deleted after they were listed, and are not in it"),
        ...named(
          this.#changed,
          "objects were replaced after they were listed; the later ones are in it",
        ),
        ...(this.#excluded > 0 ? [`${this.#excluded} objects were left out by patterns.`] : []),
        "A bucket has no snapshot: each object is whole, and they were read one after the other.",
      ],
    };
  }
}

function entryOf(
  { key, version, latest, marker, etag, modified }: ListedObject,
  kept: KeptObject | undefined,
  sha256: string | undefined,
  size: number,
): Entry {
  const filled = (values: Readonly<Record<string, string>> | undefined) =>
    values !== undefined && Object.keys(values).length > 0 ? values : undefined;
  const entry = {
    key,
    version: version === "" ? undefined : version,
    earlier: latest ? undefined : true,
    marker: marker ? true : undefined,
    size,
    etag: kept?.etag ?? etag,
    sha256,
    modified: new Date(modified).toISOString(),
    type: kept?.type,
    headers: filled(kept?.headers),
    metadata: filled(kept?.metadata),
    tags: filled(kept?.tags),
  };
  return JSON.parse(JSON.stringify(entry)) as Entry;
}

function named(keys: readonly string[], what: string): string[] {
  if (keys.length === 0) return [];
  const more = keys.length > 3 ? ", ..." : "";
  return [`${keys.length} ${what}: ${keys.slice(0, 3).join(", ")}${more}.`];
}

function frozen({ key }: ListedObject, place: string): UserError {
  return new UserError({
    title: "An object of the bucket is frozen",
    cause: `${key} in ${place} is in a storage class that cannot be read at once (Glacier and its like).`,
    remedy: "Thaw such objects first, or leave them out by `exclude`.",
  });
}

function cutShort({ key }: ListedObject, expected: number, found: number): UserError {
  return new UserError({
    title: "An object of the bucket was not read whole",
    cause: `${key} has ${expected} bytes, and ${found} came.`,
    remedy: "Run this again.",
  });
}
