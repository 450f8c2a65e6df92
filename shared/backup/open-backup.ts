import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { UserError } from "../failure/index.ts";
import {
  BrokenSeal,
  type Keys,
  openUnsealer,
  type Stage,
  through,
  type Unsealer,
} from "../sealing/index.ts";
import type { Storage } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import { BrokenPart } from "./broken-part.ts";
import { folderOf, MANIFEST, SIGNATURE } from "./identity.ts";
import type { BackupManifest, Part } from "./manifest.ts";
import type { OpenedBackup } from "./opened.ts";
import { BrokenManifest, readManifest } from "./read-manifest.ts";
import { Sum } from "./sum.ts";

/** Larger is no manifest. */
const LARGEST_MANIFEST = 64 * 1024 * 1024;

/** A backup in a storage, with what its seal is examined by. */
export interface StoredBackup extends OpenedBackup {
  readonly storage: Storage;
  /** With its slash. */
  readonly folder: string;
  /** The manifest as it is stored, and its signature, if it has one. */
  readonly manifestBytes: Buffer;
  readonly manifestSha256: string;
  readonly signature: Buffer | undefined;
  /** Whether the key that a part needs, if any, was given; not whether it fits. */
  hasKeyFor(part: Part): boolean;
  /** A part as it is stored, held against its sum and size only: no key is needed. */
  openStored(part: string, signal: AbortSignal): Promise<Readable>;
}

/**
 * Opens a backup: reads its manifest; of its parts nothing yet.
 *
 * @throws {UserError} where there is no such backup, or a key is none.
 * @throws {BrokenManifest} where its manifest cannot be relied on.
 */
export async function openBackup(
  storage: Storage,
  { name, id }: { readonly name: string; readonly id: string },
  keys: Keys,
  world: Pick<World, "secrets" | "signal">,
): Promise<StoredBackup> {
  const { signal } = world;
  const folder = folderOf(name, id);
  const unsealer = await openUnsealer(keys, world.secrets);
  const manifestBytes = await whole(storage, `${folder}${MANIFEST}`, signal);
  if (manifestBytes === undefined) throw noSuchBackup(storage, folder);
  const manifest = readManifest(manifestBytes.toString());
  if (manifest.name !== name || manifest.id !== id) {
    throw new BrokenManifest(`is that of another backup, ${manifest.name}/${manifest.id}`);
  }
  const signature = await whole(storage, `${folder}${SIGNATURE}`, signal);
  return new Opened({ storage, folder, manifest, manifestBytes, signature, unsealer });
}

async function whole(storage: Storage, name: string, signal: AbortSignal) {
  const found = await storage.stat(name, signal);
  if (found === undefined) return undefined;
  if (found.bytes > LARGEST_MANIFEST)
    throw new BrokenManifest(`is no manifest: ${name} is too large`);
  return buffer(await storage.read(name, { signal }));
}

interface Opening {
  readonly storage: Storage;
  readonly folder: string;
  readonly manifest: BackupManifest;
  readonly manifestBytes: Buffer;
  readonly signature: Buffer | undefined;
  readonly unsealer: Unsealer;
}

class Opened implements StoredBackup {
  readonly storage: Storage;
  readonly folder: string;
  readonly manifest: BackupManifest;
  readonly manifestBytes: Buffer;
  readonly manifestSha256: string;
  readonly signature: Buffer | undefined;
  readonly #unsealer: Unsealer;

  constructor(opening: Opening) {
    this.storage = opening.storage;
    this.folder = opening.folder;
    this.manifest = opening.manifest;
    this.manifestBytes = opening.manifestBytes;
    this.manifestSha256 = createHash("sha256").update(opening.manifestBytes).digest("hex");
    this.signature = opening.signature;
    this.#unsealer = opening.unsealer;
  }

  async fingerprint(signal: AbortSignal): Promise<unknown> {
    const { fingerprint } = this.manifest;
    return fingerprintIn(fingerprint, await this.open(fingerprint.name, signal));
  }

  async open(name: string, signal: AbortSignal): Promise<Readable> {
    const part = this.#part(name);
    const stages = await this.#unsealer.stages(part);
    const reading = new PartReading(part, await this.#stored(part, signal));
    return reading.unsealed(stages);
  }

  hasKeyFor(part: Part): boolean {
    return this.#unsealer.hasKeyFor(part);
  }

  async openStored(name: string, signal: AbortSignal): Promise<Readable> {
    const part = this.#part(name);
    return new PartReading(part, await this.#stored(part, signal)).asStored();
  }

  #part(name: string): Part {
    const { parts, fingerprint } = this.manifest;
    const part = [...parts, fingerprint].find((each) => each.name === name);
    if (part === undefined) {
      throw new BrokenPart({
        ...{ detector: "missing-part", file: name, expected: name, found: undefined },
        what: `The manifest has no part ${name}, which belongs to a backup of this kind.`,
      });
    }
    return part;
  }

  async #stored({ file }: Part, signal: AbortSignal): Promise<Readable> {
    const name = `${this.folder}${file}`;
    if ((await this.storage.stat(name, signal)) === undefined) {
      throw new BrokenPart({
        ...{ detector: "missing-part", file, expected: file, found: undefined },
        what: `${file} is not in ${this.storage.place}/${this.folder}.`,
      });
    }
    return this.storage.read(name, { signal });
  }
}

/**
 * What a fingerprint's part holds.
 *
 * @throws {BrokenPart} where it is no JSON.
 */
export async function fingerprintIn(part: Part, content: Readable): Promise<unknown> {
  const json = await text(content);
  try {
    return JSON.parse(json);
  } catch {
    throw broken(part, "checksum", `${part.file} is as it was written, and is no JSON.`);
  }
}

/** One part while it is read: what is stored and what comes out are both held to their sums. */
class PartReading {
  readonly #part: Part;
  readonly #content: Readable;
  readonly #stored = new Sum();
  readonly #plain = new Sum();
  #storageFailed: { readonly error: unknown } | undefined;

  constructor(part: Part, content: Readable) {
    this.#part = part;
    this.#content = content;
  }

  asStored(): Readable {
    const reading = this;
    return through(this.#content, async function* checked(content) {
      yield* reading.#noted(content);
      reading.#checkStored();
    });
  }

  unsealed(stages: readonly Stage[]): Readable {
    const reading = this;
    return through(this.#content, async function* checked(content) {
      const noted = reading.#noted(content);
      // Taken once: what the stages leave of it is read behind them.
      const rest = { [Symbol.asyncIterator]: () => unclosed(noted) };
      let bytes: AsyncIterable<Buffer> = rest;
      for (const stage of stages) bytes = stage(bytes);
      try {
        for await (const chunk of bytes) {
          reading.#plain.add(chunk);
          yield chunk;
        }
      } catch (error) {
        throw await reading.#explain(error, rest);
      }
      for await (const _ of rest);
      reading.#checkStored();
      reading.#checkPlain();
    });
  }

  async *#noted(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of content) {
        this.#stored.add(chunk);
        yield chunk;
      }
    } catch (error) {
      this.#storageFailed = { error };
      throw error;
    }
  }

  /**
   * What does not unseal is read to its end nevertheless: only its sum tells whether it is damaged,
   * or whether it is what was written and the key is the wrong one.
   */
  async #explain(error: unknown, rest: AsyncIterable<Buffer>): Promise<unknown> {
    if (this.#storageFailed !== undefined) return this.#storageFailed.error;
    if (!(error instanceof BrokenSeal) && !(error instanceof UserError)) return error;
    try {
      for await (const _ of rest);
      this.#checkStored();
    } catch (found) {
      return found;
    }
    if (error instanceof UserError) return error;
    const { encryption, file } = this.#part;
    if (encryption === "openssl") return wrongPassphrase(this.#part);
    const what = `${file} is as it was written, and yet ${error.message}.`;
    return broken(this.#part, error.detector, what);
  }

  #checkStored(): void {
    const { file, storedBytes, storedSha256 } = this.#part;
    const { bytes, sha256 } = this.#stored;
    const both = [told(storedBytes, storedSha256), told(bytes, sha256)] as const;
    if (bytes !== storedBytes) {
      const much = bytes < storedBytes ? `ends after ${bytes}` : `has ${bytes}`;
      const what = `${file} ${much} bytes, where ${storedBytes} were written.`;
      throw broken(this.#part, "checksum", what, ...both);
    }
    if (sha256 === storedSha256) return;
    const what = `${file} has its size, and other bytes than were written: its SHA-256 differs.`;
    throw broken(this.#part, "checksum", what, ...both);
  }

  #checkPlain(): void {
    const { file, bytes, sha256, encryption } = this.#part;
    if (this.#plain.bytes === bytes && this.#plain.sha256 === sha256) return;
    if (encryption === "openssl") throw wrongPassphrase(this.#part);
    const what = `${file} is as the manifest says, and unpacks to other bytes than the manifest says: the manifest was changed.`;
    const found = told(this.#plain.bytes, this.#plain.sha256);
    throw broken(this.#part, "checksum", what, told(bytes, sha256), found);
  }
}

/** An iterator that its reader cannot end: another reader goes on with it. */
function unclosed(iterator: AsyncGenerator<Buffer>): AsyncIterator<Buffer> {
  return { next: () => iterator.next() };
}

function told(bytes: number, sha256: string): string {
  return `${bytes} bytes, SHA-256 ${sha256}`;
}

function broken(
  { file }: Part,
  detector: BrokenPart["detector"],
  what: string,
  expected?: string,
  found?: string,
): BrokenPart {
  return new BrokenPart({ file, detector, what, expected, found });
}

function wrongPassphrase({ file }: Part): UserError {
  return new UserError({
    title: "The passphrase is wrong",
    cause: `${file} is stored as it was written, and does not decrypt with the passphrase that was given.`,
    remedy:
      "Give the passphrase that it was encrypted with; a changed one does not open what was written before.",
  });
}

function noSuchBackup(storage: Storage, folder: string): UserError {
  return new UserError({
    title: "There is no such backup",
    cause: `${storage.place} has no ${folder}${MANIFEST}.`,
    remedy: "Name a backup that is there, or `latest`.",
  });
}
