import type { Readable } from "node:stream";
import { type Stage, through } from "../sealing/index.ts";
import type { BackupManifest } from "./manifest.ts";
import { fingerprintIn, type StoredBackup } from "./open-backup.ts";
import type { OpenedBackup } from "./opened.ts";
import type { Progress } from "./progress.ts";

/** A backup that is read by somebody, while it is noted which parts are read to their ends. */
export class NotedReading implements OpenedBackup {
  /** Names of the parts that were: what is stored of them is what was written. */
  readonly sealed = new Set<string>();
  readonly #origin: StoredBackup;
  readonly #progress: Progress;

  constructor(origin: StoredBackup, progress: Progress) {
    this.#origin = origin;
    this.#progress = progress;
  }

  get manifest(): BackupManifest {
    return this.#origin.manifest;
  }

  async open(part: string, signal: AbortSignal): Promise<Readable> {
    const content = await this.#origin.open(part, signal);
    const { sealed } = this;
    const progress = this.#progress;
    const noted: Stage = async function* (chunks) {
      progress.begin(part);
      try {
        for await (const chunk of chunks) {
          progress.add(chunk.length);
          yield chunk;
        }
        // A part that is not as it was written fails before its end.
        sealed.add(part);
      } finally {
        progress.end(part);
      }
    };
    return through(content, noted);
  }

  async fingerprint(signal: AbortSignal): Promise<unknown> {
    const { fingerprint } = this.manifest;
    return fingerprintIn(fingerprint, await this.open(fingerprint.name, signal));
  }
}
