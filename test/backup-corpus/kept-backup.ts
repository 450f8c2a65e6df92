import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { BackupManifest, Part } from "../../shared/backup/index.ts";
import { decompression, through } from "../../shared/sealing/index.ts";
import type { Damage } from "./bytes.ts";

/** A copy of a backup in a folder, to be damaged. */
export class KeptBackup {
  /** Of the storage; the backup's own is below. */
  readonly storage: string;
  readonly folder: string;
  manifest: BackupManifest;

  private constructor(storage: string, folder: string, manifest: BackupManifest) {
    this.storage = storage;
    this.folder = folder;
    this.manifest = manifest;
  }

  /** Copies the only backup of a storage. */
  static async copy(from: string, to: string): Promise<KeptBackup> {
    await cp(from, to, { recursive: true });
    return await KeptBackup.at(to);
  }

  /** The first backup of a storage. */
  static async at(storage: string): Promise<KeptBackup> {
    const [name = ""] = await readdir(storage);
    const [id = ""] = await readdir(join(storage, name));
    const folder = join(storage, name, id);
    const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
    return new KeptBackup(storage, folder, manifest);
  }

  /** What leads verify-backup to it. */
  get inputs(): Record<string, string> {
    return { storage: this.storage, name: this.manifest.name };
  }

  part(name: string): Part {
    const { parts, fingerprint } = this.manifest;
    const part = [...parts, fingerprint].find((each) => each.name === name);
    if (part === undefined) throw new Error(`There is no part ${name}.`);
    return part;
  }

  path(name: string): string {
    return join(this.folder, this.part(name).file);
  }

  /** What a part holds, its compression taken off. */
  async content(name: string): Promise<Buffer> {
    const { compression } = this.part(name);
    const stored = await readFile(this.path(name));
    if (compression === "none") return stored;
    return await buffer(through(Readable.from([stored]), decompression(compression)));
  }

  /** Damages a file as it is stored; the manifest says what was. */
  async damageStored(name: string, damage: Damage): Promise<void> {
    await writeFile(this.path(name), damage(await readFile(this.path(name))));
  }

  /** Damages what a part holds and writes it as a backup with that content would be written. */
  async change(name: string, damage: Damage): Promise<void> {
    await this.write(name, damage(await this.content(name)));
  }

  /** A part has other content, and the manifest knows it. */
  async write(name: string, content: Buffer): Promise<void> {
    const { compression } = this.part(name);
    const stored =
      compression === "zstd"
        ? zstdCompressSync(content)
        : compression === "gzip"
          ? gzipSync(content)
          : content;
    await writeFile(this.path(name), stored);
    await this.note({ ...this.part(name), bytes: content.length, sha256: sha256(content) });
  }

  /** Makes the manifest right for the file of a part as it is now stored. */
  async note(part: Part): Promise<void> {
    const stored = await readFile(join(this.folder, part.file));
    const plain =
      part.compression === "none" ? ([stored.length, sha256(stored)] as const) : undefined;
    const [bytes, sum] = plain ?? [part.bytes, part.sha256];
    const noted = {
      ...{ ...part, bytes, sha256: sum },
      ...{ storedBytes: stored.length, storedSha256: sha256(stored) },
    };
    const { fingerprint, parts } = this.manifest;
    await this.sign(
      fingerprint.name === part.name
        ? { fingerprint: noted }
        : { parts: parts.map((each) => (each.name === part.name ? noted : each)) },
    );
  }

  /** A part is not there, and the manifest does not know of it. */
  async forget(name: string): Promise<void> {
    await rm(this.path(name));
    await this.sign({ parts: this.manifest.parts.filter((part) => part.name !== name) });
  }

  /** A file is not there, and the manifest tells of it. */
  async remove(name: string): Promise<void> {
    await rm(this.path(name));
  }

  /** The manifest's own text is another. */
  async rewriteManifest(change: (json: string) => string): Promise<void> {
    const path = join(this.folder, "manifest.json");
    const before = await readFile(path, "utf8");
    const after = change(before);
    if (after === before) throw new Error("The fault changed nothing.");
    await writeFile(path, after);
  }

  /** One part more, uncompressed. */
  async add(name: string, content: Buffer): Promise<void> {
    const path = join(this.folder, name);
    if (existsSync(path)) throw new Error(`There is a part ${name} already.`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    const sums = { bytes: content.length, sha256: sha256(content) };
    const stored = { storedBytes: content.length, storedSha256: sums.sha256 };
    const sealed = { compression: "none", encryption: "none" } as const;
    const part = { name, file: name, ...sums, ...stored, ...sealed };
    await this.sign({ parts: [...this.manifest.parts, part] });
  }

  /** The whole dump in the directory format is another. */
  async replaceFolder(files: ReadonlyMap<string, Buffer>): Promise<void> {
    for (const { name } of this.manifest.parts) await this.forget(name);
    for (const [name, content] of files) await this.add(`dump/${name}`, content);
  }

  /** Writes the manifest anew; there is no signature that would tell. */
  async sign(changes: Partial<BackupManifest>): Promise<void> {
    this.manifest = { ...this.manifest, ...changes };
    await writeFile(join(this.folder, "manifest.json"), JSON.stringify(this.manifest, null, 2));
  }
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
