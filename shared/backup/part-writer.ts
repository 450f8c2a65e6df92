import type { Readable } from "node:stream";
import { UserError } from "../failure/index.ts";
import { type Sealer, through } from "../sealing/index.ts";
import type { Storage, Written } from "../storage/index.ts";
import { FINGERPRINT, MANIFEST, VERIFICATIONS } from "./identity.ts";
import type { Part } from "./manifest.ts";
import type { Progress } from "./progress.ts";
import type { PartSink } from "./source.ts";
import { Sum } from "./sum.ts";

/** Where a backup's parts go, and how. */
export interface PartsDestination {
  readonly storage: Storage;
  /** With its slash. */
  readonly folder: string;
  readonly sealer: Sealer;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Seals parts into a storage, and remembers what was written. */
export class PartWriter implements PartSink {
  readonly #to: PartsDestination;
  readonly #parts: Part[] = [];
  readonly #names = new Set<string>();
  readonly #atWork = new Set<Promise<Part>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(to: PartsDestination) {
    this.#to = to;
  }

  /** What was written, in the order of names. */
  get parts(): readonly Part[] {
    return this.#parts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  write(
    name: string,
    content: Readable,
    { compressed = false }: { readonly compressed?: boolean } = {},
  ): Promise<void> {
    const writing = this.#write(name, content, compressed);
    // A source that gives up at its first failure awaits the others no more; `settled` does.
    writing.catch((error) => {
      this.#failure ??= { error };
    });
    return writing;
  }

  async #write(name: string, content: Readable, isCompressed: boolean): Promise<void> {
    try {
      this.#checkName(name);
    } catch (error) {
      content.destroy();
      throw error;
    }
    this.#parts.push(await this.seal(name, content, isCompressed));
  }

  expect(bytes: number): void {
    this.#to.progress.expect(bytes);
  }

  /** Stores a part that is no part of the source's, such as the fingerprint. */
  async seal(name: string, content: Readable, isCompressed: boolean): Promise<Part> {
    const writing = this.#seal(name, content, isCompressed);
    this.#atWork.add(writing);
    try {
      return await writing;
    } finally {
      this.#atWork.delete(writing);
    }
  }

  /** Waits for the writes that go on, however they end. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#atWork);
  }

  /** @throws what a part failed with, should the source have overlooked it. */
  async allWritten(): Promise<void> {
    await this.settled();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #seal(name: string, content: Readable, isCompressed: boolean): Promise<Part> {
    const { storage, folder, sealer, progress, signal } = this.#to;
    const file = `${name}${sealer.suffix(isCompressed)}`;
    const plain = new Sum();
    const stored = new Sum();
    // The source's own words on why it broke, whatever the storage makes of them.
    let broken: { readonly error: unknown } | undefined;
    content.once("error", (error) => {
      broken ??= { error };
    });
    const stages = [plain.stage(progress.add), ...sealer.stages(isCompressed), stored.stage()];
    progress.begin(name);
    try {
      const sealed = through(content, ...stages);
      const written = await storage.write(`${folder}${file}`, sealed, { signal });
      checkWritten(written, stored, `${storage.place}/${folder}${file}`);
    } catch (error) {
      content.destroy();
      throw broken === undefined ? error : broken.error;
    } finally {
      progress.end(name);
    }
    return {
      ...{ name, file, bytes: plain.bytes, sha256: plain.sha256 },
      ...{ storedBytes: stored.bytes, storedSha256: stored.sha256 },
      ...sealer.traits(isCompressed),
    };
  }

  #checkName(name: string): void {
    const isOurs = [MANIFEST, FINGERPRINT].some((own) => name.startsWith(own));
    const isSound = !isOurs && !name.startsWith(VERIFICATIONS) && !this.#names.has(name);
    if (!isSound) throw new Error(`A source gave a part that cannot be called "${name}"`);
    this.#names.add(name);
  }
}

/** Holds what the storage says it has against what it was sent. */
function checkWritten(written: Written, sent: Sum, place: string): void {
  if (written.bytes === sent.bytes && written.sha256 === sent.sha256) return;
  throw new UserError({
    title: "The storage holds something else",
    cause: `${place} was sent ${sent.bytes} bytes with SHA-256 ${sent.sha256}, and the storage has ${written.bytes} bytes with ${written.sha256}.`,
    remedy: "Run again; if it happens again, the storage or what is between is broken.",
  });
}
