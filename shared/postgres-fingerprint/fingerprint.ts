/** What one database held at one moment: plain data, to be kept as JSON. */
export interface PostgresFingerprint {
  readonly schema: 1;
  /** The server's clock when it was taken; ISO 8601. */
  readonly taken: string;
  readonly server: ServerFacts;
  readonly database: DatabaseFacts;
  readonly catalog: Catalog;
  /** Every table with rows of its own, by its qualified name: leaves of partitions, not parents. */
  readonly tables: Readonly<Record<string, TableContent>>;
  readonly sequences: Readonly<Record<string, SequenceState>>;
  readonly largeObjects: LargeObjects;
  readonly heartbeat?: Heartbeat | undefined;
  /** What was left out by intent, one phrase each. */
  readonly excluded: readonly string[];
}

export interface ServerFacts {
  /** As the server says it: `16.4 (Debian 16.4-1)`. */
  readonly version: string;
  /** As a number: 160004. */
  readonly versionNumber: number;
  /** Whether it is a standby. */
  readonly standby: boolean;
  /** Where its write-ahead log was: `0/3000148`; of a standby, what it had replayed. */
  readonly wal: string | null;
  /** When the last transaction that a standby replayed was committed; ISO 8601. */
  readonly replayed: string | null;
}

export interface DatabaseFacts {
  readonly name: string;
  readonly owner: string;
  readonly bytes: number;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** `libc`, `icu` or `builtin`. */
  readonly provider: string;
  /** The locale of an ICU or built-in provider. */
  readonly locale: string | null;
  readonly collationVersion: string | null;
  readonly actualCollationVersion: string | null;
}

/** Kinds of entries of the catalog; each is a word that can stand before the entry's name. */
export type EntryKind =
  | "access method"
  | "aggregate"
  | "cast"
  | "collation"
  | "collation version"
  | "column"
  | "column options"
  | "comment"
  | "constraint"
  | "conversion"
  | "database setting"
  | "default privileges"
  | "event trigger"
  | "extension"
  | "foreign data wrapper"
  | "foreign server"
  | "function"
  | "index"
  | "index clustered on"
  | "language"
  | "materialized view"
  | "operator"
  | "operator class"
  | "operator family"
  | "owner"
  | "policy"
  | "privileges"
  | "publication"
  | "replica identity"
  | "role"
  | "row security"
  | "rule"
  | "schema"
  | "security label"
  | "sequence"
  | "statistics object"
  | "storage options"
  | "subscription"
  | "table"
  | "text search configuration"
  | "text search dictionary"
  | "text search parser"
  | "text search template"
  | "transform"
  | "trigger"
  | "type"
  | "user mapping"
  | "view";

/** Definitions by kind and name. Long ones are cut, and end with their SHA-256. */
export type Catalog = Readonly<Partial<Record<EntryKind, Readonly<Record<string, string>>>>>;

/** The rows of one table. */
export interface TableContent {
  readonly rows: number;
  /** Its size on disk, without indexes. */
  readonly bytes: number;
  /** Sum of the hashes of its rows, 16 hexadecimal digits: the same whatever their order. */
  readonly hash: string;
  readonly parts?: Parts | undefined;
  /**
   * Why rows and hash say nothing: left out by intent, a materialized view that was never filled,
   * an unlogged table on a standby.
   */
  readonly unread?: "excluded" | "not populated" | "unlogged on a standby" | undefined;
  /** Contents that a restore need not give back as they were. */
  readonly passing?: "materialized view" | "unlogged" | undefined;
  /** The extension that made the table; only the rows that users wrote into it are meant. */
  readonly extension?: string | undefined;
}

/** The same rows and hash by parts of a table. */
export interface Parts {
  /**
   * The column by whose value rows belong to a part: the first of the key. Undefined where a table
   * has no key to speak of: then it is the rest of the row's hash, divided by their number.
   */
  readonly column?: string | undefined;
  /** That column's type, as SQL names it. */
  readonly type?: string | undefined;
  /** Where the second part begins, the third, and so on; the first begins nowhere. */
  readonly bounds?: readonly string[] | undefined;
  readonly rows: readonly number[];
  readonly hashes: readonly string[];
}

export interface SequenceState {
  /** Decimal digits: it may be beyond what a number holds. */
  readonly last: string;
  readonly called: boolean;
}

export interface LargeObjects {
  readonly count: number;
  readonly bytes: number;
  /** Sum over the hashes of all their pieces, 16 hexadecimal digits. */
  readonly hash: string;
  /** How many each role owns. */
  readonly owners: Readonly<Record<string, number>>;
  /** By the first object's number of each part. */
  readonly parts?: Parts | undefined;
}

export interface Heartbeat {
  /** What was asked: a column or a query. */
  readonly of: string;
  /** The newest, as the server writes it; null where there is none. */
  readonly value: string | null;
  /** How old it was, where it is a time. */
  readonly secondsOld: number | null;
}
