export const KINDS = ["string", "list", "set", "zset", "hash", "stream", "module"] as const;

export type ValueKind = (typeof KINDS)[number];

/** What a key holds, without how it is written. */
export interface Value {
  readonly kind: ValueKind;
  /** Members, fields or entries; 1 for a string. */
  readonly elements: number;
  /** The same for the same value, however it is written. */
  readonly digest: Buffer;
  /** The name of the module that wrote it; nobody else can read it. */
  readonly module?: string;
  /** The earliest moment at which a field of it ends, in milliseconds since the Unix epoch. */
  readonly ends?: bigint;
}

/** Whose file it is: some numbers mean different things to Redis and to Valkey. */
export interface Dialect {
  readonly valkey: boolean;
}
