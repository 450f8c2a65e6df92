import type { Examination } from "../proof/index.ts";
import type { Archive } from "./archive.ts";
import type { Layer, Recognised } from "./format.ts";
import type { Limits } from "./limits.ts";
import type { ExpectedRows, RowCounts } from "./row-count.ts";

export interface ExamineOptions {
  readonly signal: AbortSignal;
  readonly limits?: Partial<Limits>;
  /** From a fingerprint: what each table that holds rows itself had. */
  readonly expected?: ExpectedRows | undefined;
  /** Opens an encryption; without it, what is encrypted cannot be examined. */
  readonly decrypt?:
    | ((
        layer: Extract<Layer, "age" | "openssl">,
        content: AsyncIterable<Buffer>,
      ) => AsyncIterable<Buffer>)
    | undefined;
  /**
   * Rows and large objects of a custom dump are not unpacked: whoever restores them and holds them
   * against a fingerprint learns more of them. The structure around them is read all the same.
   */
  readonly skim?: boolean | undefined;
  /** Told how many stored bytes have been read. */
  readonly onProgress?: (bytes: number) => void;
}

/** What reading every byte of a dump told. */
export interface DumpExamination extends Examination {
  readonly recognised: Recognised;
  /** Rows counted in the text, by table. */
  readonly rows: RowCounts;
  /** The table of contents of a custom, directory or tar dump, also where some of it is broken. */
  readonly archive: Archive | undefined;
  /** Versions as the dump tells them. */
  readonly server: string | undefined;
  readonly dumper: string | undefined;
  /** Of the file as it is stored; undefined for folders. */
  readonly sha256: string | undefined;
  readonly storedBytes: number;
  /** Without its compression. */
  readonly plainBytes: number;
}
