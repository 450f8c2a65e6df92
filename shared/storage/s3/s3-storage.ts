import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { describe, UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import { checkName, isName } from "../name.ts";
import type { StorageSettings } from "../settings.ts";
import type { Refused, Storage, StoredObject, WriteOptions, Written } from "../storage.ts";
import type { Thawable, ThawOptions } from "../thaw.ts";
import { leashed } from "../transfer/leash.ts";
import { addressOf } from "./address.ts";
import { S3Client } from "./client.ts";
import { download } from "./download.ts";
import { checkBucket, listKeys } from "./list.ts";
import { look } from "./look.ts";
import { S3Refusal } from "./refusal.ts";
import { removeKeys } from "./remove.ts";
import { sweepUploads } from "./sweep.ts";
import type { UploadContext } from "./task.ts";
import { thawKeys } from "./thaw.ts";
import { upload } from "./upload.ts";
import { checkSettings } from "./write-headers.ts";

/**
 * Opens a bucket: finds keys and region, and holds that it can be listed.
 *
 * @throws {UserError} where it is not there, or may not be listed.
 */
export async function openBucket(
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  settings: StorageSettings,
  world: World,
): Promise<Storage & Thawable> {
  checkSettings(settings);
  const address = addressOf(bucket, settings, world.environment);
  const client = new S3Client(address, settings, world, await certificates(settings, world));
  try {
    await checkBucket(client, prefix, world.signal);
  } catch (error) {
    const isWriteOnly = error instanceof S3Refusal && error.code === "AccessDenied";
    if (!isWriteOnly || settings.create !== true) throw error;
    world.log.debug(`The bucket is written to without being listed: ${error.cause}`);
  }
  return new S3Storage(client, bucket, prefix, settings, world);
}

/** Node itself looks at NODE_EXTRA_CA_CERTS; AWS's tools look at a variable of their own. */
export async function certificates(
  { ca }: StorageSettings,
  { environment }: World,
): Promise<string | undefined> {
  if (ca) return ca;
  const file = environment.AWS_CA_BUNDLE;
  if (!file) return undefined;
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new UserError(
      {
        title: "The certificates for the storage cannot be read",
        cause: `AWS_CA_BUNDLE names ${file}: ${describe(error)}.`,
        remedy: "Correct the variable, or leave it out.",
      },
      { reason: error },
    );
  });
}

/** Keeps backups in a bucket of Amazon S3, or of a server that speaks like it. */
class S3Storage implements Storage, Thawable {
  readonly place: string;
  readonly #client: S3Client;
  readonly #prefix: string;
  readonly #context: UploadContext;
  readonly #swept = new Set<string>();

  constructor(
    client: S3Client,
    bucket: string,
    prefix: string,
    settings: StorageSettings,
    world: World,
  ) {
    this.#client = client;
    this.#prefix = prefix;
    this.place = `s3://${bucket}/${prefix}`.replace(/\/$/, "");
    const traits = { sums: undefined, conditions: true };
    this.#context = { client, settings, world, traits, place: this.place };
  }

  #key(name: string): string {
    checkName(name);
    return `${this.#prefix}${name}`;
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<StoredObject> {
    for await (const found of listKeys(this.#client, `${this.#prefix}${prefix}`, signal)) {
      const name = found.name.slice(this.#prefix.length);
      // Folders that a console made are objects whose names end with a slash.
      if (isName(name)) yield { ...found, name };
    }
  }

  async stat(name: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    const found = await look(this.#client, this.#key(name), signal);
    if (found === undefined) return undefined;
    const { bytes, modified, state, lockedUntil } = found;
    return { name, bytes, modified, state, lockedUntil };
  }

  async write(name: string, content: Readable | Buffer, options: WriteOptions): Promise<Written> {
    return leashed(content, options.signal, async () => {
      const key = this.#key(name);
      await this.#sweep(name, options.signal);
      const source = Buffer.isBuffer(content) ? Readable.from([content]) : content;
      return upload(this.#context, { key, name }, source, options);
    });
  }

  /** Once for each series of backups, before something is written to it. */
  async #sweep(name: string, signal: AbortSignal): Promise<void> {
    const [series = ""] = name.split("/");
    if (series === name || this.#swept.has(series)) return;
    this.#swept.add(series);
    await sweepUploads(this.#context, `${this.#prefix}${series}/`, signal);
  }

  async read(
    name: string,
    { signal, from = 0, to }: { signal: AbortSignal; from?: number; to?: number },
  ): Promise<Readable> {
    return download(this.#context, { key: this.#key(name), name, from, to, signal });
  }

  async remove(names: readonly string[], signal: AbortSignal): Promise<readonly Refused[]> {
    const entries = names.map((name) => ({ name, key: this.#key(name) }));
    return removeKeys(this.#context, entries, signal);
  }

  async thaw(names: readonly string[], options: ThawOptions): Promise<void> {
    const entries = names.map((name) => ({ name, key: this.#key(name) }));
    await thawKeys(this.#context, entries, options);
  }
}
