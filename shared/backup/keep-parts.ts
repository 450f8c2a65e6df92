import { createReadStream, createWriteStream } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { codeOf, describe, UserError } from "../failure/index.ts";
import { type PrivateFolder, privateFolder } from "../process/index.ts";
import { bytesInWords } from "../quantity/index.ts";
import type { SealSettings } from "./examine-seal.ts";
import type { BackupManifest, Part } from "./manifest.ts";
import { fingerprintIn, type StoredBackup } from "./open-backup.ts";
import type { OpenedBackup } from "./opened.ts";

/** A backup some parts of which lie on this machine, as the source gave them. */
export interface KeptBackup extends OpenedBackup {
  /** The private copy of a part; undefined where there is none, or none that is whole. */
  copyOf(part: string): string | undefined;
}

/** Copies of parts that are made while the seal is examined. They go when this is disposed of. */
export interface KeptParts extends AsyncDisposable {
  /** To be given to the examination of the seal, which reads the parts. */
  readonly watch: NonNullable<SealSettings["watch"]>;
  /** Read from the copies, and what has none from its storage. */
  readonly backup: KeptBackup;
}

/** How many bytes of copies the folder for temporary files has room for; infinite where it does not tell. */
export async function roomForCopies(): Promise<number> {
  try {
    const { blocks, bavail, bsize } = await statfs(tmpdir());
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Keeps private copies of parts, decrypted and decompressed, so that whoever reads them again need
 * not go to the storage for them: what is there is downloaded once, whatever becomes of it.
 *
 * @param names of parts.
 * @throws {UserError} where the disk has no room for them.
 */
export async function keepParts(
  backup: StoredBackup,
  names: readonly string[],
): Promise<KeptParts> {
  const { parts, fingerprint } = backup.manifest;
  const kept = [...parts, fingerprint].filter(({ name }) => names.includes(name));
  const bytes = kept.reduce((sum, part) => sum + part.bytes, 0);
  const room = await roomForCopies();
  if (room < bytes) throw noRoom(bytes, `${bytesInWords(room)} are free`);
  return new Copies(backup, kept, bytes, await privateFolder("seaworthy-backup-"));
}

class Copies implements KeptParts, KeptBackup {
  readonly #origin: StoredBackup;
  readonly #folder: PrivateFolder;
  readonly #bytes: number;
  /** Where each part is put. Its name could lead elsewhere, so it has none there. */
  readonly #paths: ReadonlyMap<string, string>;
  readonly #whole = new Set<string>();

  constructor(origin: StoredBackup, parts: readonly Part[], bytes: number, folder: PrivateFolder) {
    this.#origin = origin;
    this.#bytes = bytes;
    this.#folder = folder;
    this.#paths = new Map(parts.map(({ name }, at) => [name, join(folder.path, String(at))]));
  }

  get backup(): KeptBackup {
    return this;
  }

  get manifest(): BackupManifest {
    return this.#origin.manifest;
  }

  readonly watch = async ({ name }: Part, content: Readable): Promise<void> => {
    const path = this.#paths.get(name);
    if (path === undefined) return;
    const file = createWriteStream(path, { mode: 0o600, flags: "wx", highWaterMark: 1 << 20 });
    try {
      await pipeline(content, file);
    } catch (error) {
      const full = ["ENOSPC", "EDQUOT"].includes(codeOf(error) ?? "");
      throw full ? noRoom(this.#bytes, describe(error)) : error;
    }
    this.#whole.add(name);
  };

  copyOf(part: string): string | undefined {
    return this.#whole.has(part) ? this.#paths.get(part) : undefined;
  }

  async open(part: string, signal: AbortSignal): Promise<Readable> {
    const path = this.copyOf(part);
    if (path === undefined) return this.#origin.open(part, signal);
    return createReadStream(path, { highWaterMark: 1 << 18, signal });
  }

  async fingerprint(signal: AbortSignal): Promise<unknown> {
    const { fingerprint } = this.manifest;
    return fingerprintIn(fingerprint, await this.open(fingerprint.name, signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

function noRoom(bytes: number, why: string): UserError {
  return new UserError({
    title: "There is no room for the backup on this machine's disk",
    cause: `It takes ${bytesInWords(bytes)} to restore it from, and ${tmpdir()} does not have them: ${why}.`,
    remedy:
      "Free space on the runner, or let TMPDIR be a folder on a larger disk; the tier integrity needs none.",
  });
}
