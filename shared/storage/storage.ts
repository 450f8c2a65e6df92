import type { Readable } from "node:stream";

/** Something that a storage keeps. */
export interface StoredObject {
  /** Relative to the storage's root, parts separated by slashes. */
  readonly name: string;
  readonly bytes: number;
  /** When it was written, in milliseconds since the Unix epoch. */
  readonly modified: number;
  /** `frozen` needs a thaw before it can be read (Glacier and its like). */
  readonly state: "ready" | "frozen" | "thawing";
  /** Until when it cannot be deleted or replaced, in milliseconds since the Unix epoch. */
  readonly lockedUntil?: number | undefined;
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  /** Told how many bytes have been taken over so far. */
  readonly onProgress?: (bytes: number) => void;
  /** Replace what has this name already; otherwise that is an error. */
  readonly replace?: boolean;
}

/** What was written, as the storage itself tells it afterwards. */
export interface Written {
  readonly bytes: number;
  /** Of all bytes, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Keeps backups: a folder, a bucket, the artifacts of a run. */
export interface Storage {
  /** For messages: `s3://bucket/prefix`, `folder /mnt/backups`. */
  readonly place: string;
  /** Objects whose names begin with the prefix, in the order of their names. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject>;
  stat(name: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  /**
   * Writes an object that appears whole or not at all, and holds the storage's own word on it
   * (size, checksum) against what was sent.
   */
  write(name: string, content: Readable | Buffer, options: WriteOptions): Promise<Written>;
  /** The object's bytes from `from` (included) to `to` (excluded); all when left out. */
  read(
    name: string,
    options: { readonly signal: AbortSignal; readonly from?: number; readonly to?: number },
  ): Promise<Readable>;
  /** Removes objects; gives those that the storage would not let go, each with its reason. */
  remove(names: readonly string[], signal: AbortSignal): Promise<readonly Refused[]>;
}

export interface Refused {
  readonly name: string;
  readonly reason: string;
}
