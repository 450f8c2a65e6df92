import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, UserError } from "../failure/index.ts";
import { openSealer, type Sealer, type SealingSettings } from "../sealing/index.ts";
import type { Storage } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import { bytesOf } from "./bytes-of.ts";
import { type Catalogue, catalogue } from "./catalogue.ts";
import { guessBytes } from "./guess-bytes.ts";
import {
  checkSeriesName,
  FINGERPRINT,
  folderOf,
  MANIFEST,
  newBackupId,
  SIGNATURE,
} from "./identity.ts";
import type { BackupManifest } from "./manifest.ts";
import { PartWriter } from "./part-writer.ts";
import { Progress } from "./progress.ts";
import { openSigner, type Signer, type SigningSettings } from "./signature.ts";
import type { BackupSource, Captured } from "./source.ts";
import { removeLeftovers, withdraw } from "./withdraw.ts";

export interface BackupOptions {
  /** The series that the backup belongs to. */
  readonly name: string;
  readonly sealing: SealingSettings;
  readonly signing?: SigningSettings | undefined;
}

export interface WrittenBackup {
  readonly manifest: BackupManifest;
  /** In the storage, with its slash: `papers/20261122T000400Z-3f9a1c/`. */
  readonly folder: string;
  /** Of manifest.json, 64 hexadecimal digits. */
  readonly manifestSha256: string;
  readonly isSigned: boolean;
  /** Of all parts, the fingerprint's included. */
  readonly bytes: number;
  readonly storedBytes: number;
}

/**
 * Backs a source up into a storage: its parts, its fingerprint, the signature, and the manifest
 * last, with which the backup begins to count. Then it asks the storage for all of it. When
 * anything fails, or the run is cancelled, everything that was written is removed again.
 *
 * @throws {UserError} for whatever would leave less than a whole backup.
 */
export async function writeBackup(
  source: BackupSource,
  storage: Storage,
  options: BackupOptions,
  world: World,
): Promise<WrittenBackup> {
  checkSeriesName(options.name);
  const sealer = await openSealer(options.sealing, world.secrets);
  const signer = options.signing && openSigner(options.signing, world.secrets);
  const series = await seriesIn(storage, options.name, world);
  if (series !== undefined) await removeLeftovers(series, storage, world);
  const began = world.clock.now();
  const id = newBackupId(began);
  const writing = new Writing(source, storage, sealer, signer, world);
  const guessedBytes = series && (await guessBytes(series, storage, world.signal));
  return writing.write({ name: options.name, id, began, guessedBytes });
}

/** What there is of the series; undefined, with a warning, where the storage does not let us look. */
async function seriesIn(
  storage: Storage,
  name: string,
  { log, signal }: World,
): Promise<Catalogue | undefined> {
  try {
    return await catalogue(storage, name, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warning(`Leftovers of killed runs could not be looked for: ${describe(error)}`);
    return undefined;
  }
}

interface Beginning {
  readonly name: string;
  readonly id: string;
  readonly began: number;
  readonly guessedBytes: number | undefined;
}

/** One backup while it is written. */
class Writing {
  readonly #source: BackupSource;
  readonly #storage: Storage;
  readonly #sealer: Sealer;
  readonly #signer: Signer | undefined;
  readonly #world: World;
  /** Ends what still runs when a part of it has failed. */
  readonly #failed = new AbortController();

  constructor(
    source: BackupSource,
    storage: Storage,
    sealer: Sealer,
    signer: Signer | undefined,
    world: World,
  ) {
    this.#source = source;
    this.#storage = storage;
    this.#sealer = sealer;
    this.#signer = signer;
    this.#world = { ...world, signal: AbortSignal.any([world.signal, this.#failed.signal]) };
  }

  async write(beginning: Beginning): Promise<WrittenBackup> {
    const { name, id, guessedBytes } = beginning;
    const folder = folderOf(name, id);
    const { signal } = this.#world;
    using progress = new Progress("Backed up", guessedBytes, this.#world);
    const to = { storage: this.#storage, folder, sealer: this.#sealer, progress, signal };
    const parts = new PartWriter(to);
    try {
      const captured = await this.#source.capture(parts, this.#world);
      await parts.allWritten();
      const fingerprint = await parts.seal(FINGERPRINT, asJson(captured.fingerprint), false);
      const manifest = { ...this.#headOf(beginning, captured), parts: parts.parts, fingerprint };
      return await this.#seal(folder, manifest);
    } catch (error) {
      this.#failed.abort(error);
      await parts.settled();
      await this.#takeBack(folder);
      throw error;
    }
  }

  #headOf({ name, id, began }: Beginning, captured: Captured) {
    const { kind, subject } = this.#source;
    const { source, measures, excluded, notes } = captured;
    return {
      ...{ schema: 1 as const, name, id, kind, subject },
      taken: new Date(captured.taken).toISOString(),
      began: new Date(began).toISOString(),
      ended: new Date(this.#world.clock.now()).toISOString(),
      ...{ source, measures, excluded, notes },
    };
  }

  /** Writes signature and manifest, in this order: there is never a manifest that lacks its own. */
  async #seal(folder: string, manifest: BackupManifest): Promise<WrittenBackup> {
    const { signal } = this.#world;
    const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
    if (this.#signer !== undefined) {
      await this.#storage.write(`${folder}${SIGNATURE}`, this.#signer.sign(bytes), { signal });
    }
    await this.#storage.write(`${folder}${MANIFEST}`, bytes, { signal });
    await this.#prove(folder, manifest, bytes);
    return {
      ...{ manifest, folder, isSigned: this.#signer !== undefined },
      manifestSha256: createHash("sha256").update(bytes).digest("hex"),
      ...bytesOf(manifest),
    };
  }

  /** Asks the storage for everything that a reader will want. */
  async #prove(folder: string, manifest: BackupManifest, sent: Buffer): Promise<void> {
    const { signal } = this.#world;
    const found = new Map<string, number>();
    for await (const { name, bytes } of this.#storage.list(folder, signal)) found.set(name, bytes);
    for (const { file, storedBytes } of [...manifest.parts, manifest.fingerprint]) {
      const bytes = found.get(`${folder}${file}`);
      if (bytes !== storedBytes) throw notStored(`${folder}${file}`, storedBytes, bytes);
    }
    const read = await buffer(await this.#storage.read(`${folder}${MANIFEST}`, { signal }));
    if (!read.equals(sent)) throw notStored(`${folder}${MANIFEST}`, sent.length, read.length);
  }

  async #takeBack(folder: string): Promise<void> {
    const { aftermath, log } = this.#world;
    const left = await withdraw(this.#storage, folder, aftermath);
    if (left.length === 0) return;
    log.warning(
      `Of the backup that did not come about, this could not be removed, and does not count as a backup: ${left.join("; ")}`,
    );
  }
}

function asJson(value: unknown): Readable {
  return Readable.from([Buffer.from(JSON.stringify(value))]);
}

function notStored(name: string, expected: number, found: number | undefined): UserError {
  return new UserError({
    title: "The storage does not hold what it took",
    cause: `${name} was taken with ${expected} bytes, and ${found === undefined ? "is not there" : `has ${found} bytes, or other ones`} when the storage is asked for it.`,
    remedy:
      "Run again; if it happens again, the storage, or a rule in it that deletes, is at fault.",
  });
}
