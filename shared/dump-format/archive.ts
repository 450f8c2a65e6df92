/** An entry in the table of contents of a dump. */
export interface TocEntry {
  /** Its dump id: what dependencies and data blocks name. */
  readonly id: number;
  /** `TABLE`, `TABLE DATA`, `FK CONSTRAINT`: what pg_restore -l shows. */
  readonly kind: string;
  /** Empty where it has none. */
  readonly schema: string;
  /** Its tag: the object's name, for functions with the types of its arguments. */
  readonly name: string;
  readonly owner: string;
  readonly section: "none" | "pre-data" | "data" | "post-data";
  readonly definition: string;
  readonly dropStatement: string;
  readonly copyStatement: string;
  readonly tablespace: string;
  readonly accessMethod: string;
  readonly dependencies: readonly number[];
  /** Whether it has data of its own: rows, large objects. */
  readonly hasData: boolean;
  /** Where its data begins, in a custom dump that knows it. */
  readonly offset: number | undefined;
  /** The member with its data, in a directory or tar dump; empty where it has none. */
  readonly member: string;
}

/** The header and the table of contents of a custom, directory or tar dump. */
export interface Archive {
  /** Of the format: `1.16`. */
  readonly version: string;
  readonly format: "custom" | "directory" | "tar";
  readonly compression: "none" | "gzip" | "lz4" | "zstd";
  /** Milliseconds since the Unix epoch, by the clock and in the time zone of the dumping machine. */
  readonly created: number;
  readonly database: string;
  readonly server: string;
  readonly dumper: string;
  readonly entries: readonly TocEntry[];
  /** Offsets of texts that are no UTF-8; right only where the dump's encoding is another. */
  readonly foreignTexts: readonly number[];
}
