import { Readable } from "node:stream";
import type {
  BackupManifest,
  BackupSource,
  Captured,
  OpenedBackup,
  PartSink,
} from "../../shared/backup/index.ts";
import type { World } from "../../shared/world/index.ts";

/** A backup that a test holds in memory, so as to change what it likes in it. */
export class Kept implements PartSink {
  readonly parts = new Map<string, Buffer>();
  captured: Captured | undefined;

  static async of(source: BackupSource, world: World): Promise<Kept> {
    const kept = new Kept();
    kept.captured = await source.capture(kept, world);
    return kept;
  }

  async write(name: string, content: Readable): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk as Buffer);
    this.parts.set(name, Buffer.concat(chunks));
  }

  /** The backup as a verification gets it, with other bytes of some parts where they are given. */
  opened(changed: Readonly<Record<string, Buffer>> = {}): OpenedBackup {
    return {
      manifest: { kind: "redis", name: "test", id: "test" } as unknown as BackupManifest,
      fingerprint: async () => JSON.parse(JSON.stringify(this.captured?.fingerprint)) as unknown,
      open: async (part) => {
        const bytes = changed[part] ?? this.parts.get(part);
        if (bytes === undefined) throw new Error(`no part ${part}`);
        return Readable.from(pieces(bytes), { objectMode: false });
      },
    };
  }
}

/** Pieces of odd sizes: what reads them must not lean on where they begin. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  let size = 1;
  for (let at = 0; at < bytes.length; at += size) {
    size = Math.min(65_536, (size * 3) % 65_537);
    yield bytes.subarray(at, at + size);
  }
}
