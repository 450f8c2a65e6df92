/** A compression or encryption around a dump, from its first bytes. */
export type Layer = "gzip" | "zstd" | "lz4" | "xz" | "bzip2" | "zip" | "age" | "openssl";

/** What is inside of all layers. */
export type Format =
  | "pg-plain"
  | "pg-plain-cluster"
  | "pg-custom"
  | "pg-directory"
  | "pg-tar"
  | "pg-basebackup"
  | "pgbackrest"
  | "wal-g"
  | "mysql"
  | "sql"
  | "rdb"
  | "tar"
  | "html"
  | "json"
  | "utf16-text"
  | "text"
  | "empty"
  /** Under a layer that cannot be looked into: encryption, or a compression that Node lacks. */
  | "sealed"
  | "unknown";

/** What bytes are, as far as their beginning tells. */
export interface Recognised {
  /** From the outside to the inside: `dump.sql.gz.age` that is readable has age, then gzip. */
  readonly layers: readonly Layer[];
  readonly format: Format;
  /** For messages: `a plain SQL dump of pg_dump, compressed with gzip`. */
  readonly sentence: string;
  /** Why it cannot be examined and what to do; undefined where it can. */
  readonly refusal?: string | undefined;
}

const FORMAT_WORDS: Readonly<Record<Format, string>> = {
  "pg-plain": "a plain SQL dump of pg_dump",
  "pg-plain-cluster": "a plain SQL dump of pg_dumpall",
  "pg-custom": "a custom-format dump of pg_dump",
  "pg-directory": "a directory-format dump of pg_dump",
  "pg-tar": "a tar-format dump of pg_dump",
  "pg-basebackup": "a base backup of pg_basebackup",
  pgbackrest: "a pgBackRest repository",
  "wal-g": "a WAL-G storage",
  mysql: "a dump of MySQL or MariaDB",
  sql: "SQL that pg_dump did not write",
  rdb: "a Redis RDB file",
  tar: "a tar archive",
  html: "a page of HTML",
  json: "JSON",
  "utf16-text": "text in UTF-16",
  text: "text that is no SQL",
  empty: "empty",
  sealed: "sealed content",
  unknown: "something unknown",
};

const REFUSALS: Readonly<Partial<Record<Format | Layer, string>>> = {
  mysql: "Seaworthy verifies PostgreSQL dumps; restore this one with mysql and compare there.",
  html: "A download saved an error page under the name of the dump: fetch the dump again and look at the status of the request.",
  json: "A download saved an answer of an API under the name of the dump: fetch the dump again and look at the status of the request.",
  "utf16-text":
    "PowerShell's > rewrites what programs print as UTF-16, which psql cannot read: dump with pg_dump's --file instead.",
  text: "Nothing in it looks like SQL.",
  empty:
    "The dump was never written, or its disk was full: dump again, and look at the exit status of pg_dump.",
  unknown: "Its first bytes belong to no dump that is known here.",
  xz: "Unpack it with xz -d, or store dumps with gzip or zstd.",
  bzip2: "Unpack it with bzip2 -d, or store dumps with gzip or zstd.",
  zip: "Unpack it with unzip, or store dumps with gzip or zstd.",
  age: "Its age key is needed to look inside.",
  openssl: "Its password is needed to look inside.",
};

const LAYER_WORDS: Readonly<Record<Layer, string>> = {
  gzip: "compressed with gzip",
  zstd: "compressed with zstd",
  lz4: "compressed with lz4",
  xz: "compressed with xz",
  bzip2: "compressed with bzip2",
  zip: "packed as zip",
  age: "encrypted with age",
  openssl: "encrypted with openssl",
};

/** Puts layers and a format together with their sentence and refusal. */
export function recognised(layers: readonly Layer[], format: Format): Recognised {
  const around = layers.toReversed().map((layer) => LAYER_WORDS[layer]);
  const last = layers.at(-1);
  return {
    layers,
    format,
    sentence: [FORMAT_WORDS[format], ...around].join(", "),
    refusal: format === "sealed" && last !== undefined ? REFUSALS[last] : REFUSALS[format],
  };
}
