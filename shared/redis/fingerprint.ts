import { Collection, sha256 } from "./content-hash.ts";
import type { RdbKey, RdbListener, RdbSummary } from "./rdb.ts";
import { readRdb } from "./rdb.ts";
import { KINDS, type ValueKind } from "./value.ts";

/** Keys of a database are told apart by what stands before the first colon, in so many groups. */
const GROUPS = 256;
const MOST_NAMES = 4;
const LONGEST_NAME = 80;

/** What was in a server when an RDB of it was written; independent of order and encoding. */
export interface RdbFingerprint {
  readonly databases: readonly DatabaseFingerprint[];
  readonly libraries: Counted;
  /** Whether all values could be looked into. */
  readonly whole: boolean;
}

export interface Counted {
  readonly count: number;
  readonly hash: string;
}

export interface DatabaseFingerprint {
  readonly database: number;
  readonly keys: number;
  /** Of keys, their values and the moments of their ends. */
  readonly hash: string;
  readonly expiring: number;
  /** Keys, elements and hash by type; values of modules have no hash. */
  readonly types: Readonly<Partial<Record<ValueKind, Counted & { readonly elements: number }>>>;
  readonly groups: readonly KeyGroup[];
}

/** Keys whose names begin alike. */
export interface KeyGroup extends Counted {
  /** Which of the groups. */
  readonly group: number;
  /** Some of the beginnings, for messages. */
  readonly names: readonly string[];
}

/** An RDB as it was read: what it says of itself, and what it holds. */
export interface RdbReading extends RdbSummary {
  readonly fingerprint: RdbFingerprint;
  /** Where a server said how many keys follow, and others did. */
  readonly miscounted: readonly Miscount[];
}

export interface Miscount {
  readonly database: number;
  readonly said: number;
  readonly found: number;
}

/**
 * Reads an RDB as it streams by and works its fingerprint out.
 *
 * @throws {RdbDamage}
 */
export async function fingerprintRdb(chunks: AsyncIterable<Buffer>): Promise<RdbReading> {
  const gathering = new Gathering();
  const summary = await readRdb(chunks, gathering);
  return {
    ...summary,
    fingerprint: gathering.fingerprint(summary.opaque === undefined),
    miscounted: summary.opaque === undefined ? gathering.miscounted() : [],
  };
}

/** Works a fingerprint out while an RDB is read. */
export class Gathering implements RdbListener {
  readonly #databases = new Map<number, Database>();
  readonly #libraries = new Collection();
  readonly #said = new Map<number, number>();

  key(key: RdbKey): void {
    let database = this.#databases.get(key.database);
    if (database === undefined) {
      database = new Database();
      this.#databases.set(key.database, database);
    }
    database.add(key);
  }

  sizes(database: number, keys: number): void {
    this.#said.set(database, (this.#said.get(database) ?? 0) + keys);
  }

  library(code: Buffer): void {
    this.#libraries.add(code);
  }

  fingerprint(whole: boolean): RdbFingerprint {
    const databases = [...this.#databases]
      .sort(([a], [b]) => a - b)
      .map(([number, database]) => database.fingerprint(number));
    return { databases, libraries: counted(this.#libraries), whole };
  }

  miscounted(): Miscount[] {
    return [...this.#said]
      .map(([database, said]) => {
        return { database, said, found: this.#databases.get(database)?.keys ?? 0 };
      })
      .filter(({ said, found }) => said !== found);
  }
}

class Database {
  readonly #all = new Collection();
  readonly #types = new Map<ValueKind, { keys: Collection; elements: number }>();
  readonly #groups = new Map<number, { keys: Collection; names: Set<string> }>();
  #expiring = 0;

  get keys(): number {
    return this.#all.count;
  }

  add({ token, expires, value }: RdbKey): void {
    const digest = sha256(record(token, expires, value.kind, value.digest));
    this.#all.addDigest(digest);
    if (expires !== 0n) this.#expiring += 1;
    let type = this.#types.get(value.kind);
    if (type === undefined) {
      type = { keys: new Collection(), elements: 0 };
      this.#types.set(value.kind, type);
    }
    type.keys.addDigest(digest);
    type.elements += value.elements;
    this.#addToGroup(token, digest);
  }

  #addToGroup(token: Buffer, digest: Buffer): void {
    const beginning = beginningOf(token);
    const number = groupOf(beginning);
    let group = this.#groups.get(number);
    if (group === undefined) {
      group = { keys: new Collection(), names: new Set() };
      this.#groups.set(number, group);
    }
    group.keys.addDigest(digest);
    if (group.names.size < MOST_NAMES) group.names.add(beginning.toString("utf8"));
  }

  fingerprint(database: number): DatabaseFingerprint {
    const types: Partial<Record<ValueKind, Counted & { readonly elements: number }>> = {};
    for (const [kind, { keys, elements }] of this.#types) {
      types[kind] = { ...counted(keys), elements };
    }
    const groups = [...this.#groups]
      .sort(([a], [b]) => a - b)
      .map(([group, { keys, names }]) => ({ group, names: [...names].sort(), ...counted(keys) }));
    const { count: keys, hash } = counted(this.#all);
    return { database, keys, hash, expiring: this.#expiring, types, groups };
  }
}

function record(token: Buffer, expires: bigint, kind: ValueKind, digest: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(token.length + digest.length + 9);
  bytes.writeUInt8(KINDS.indexOf(kind), 0);
  bytes.writeBigInt64LE(expires, 1);
  token.copy(bytes, 9);
  digest.copy(bytes, 9 + token.length);
  return bytes;
}

/** What stands in the key before its first colon, or all of a short one. */
function beginningOf(token: Buffer): Buffer {
  const key = token.subarray(4, 4 + LONGEST_NAME);
  const colon = key.indexOf(58);
  return colon < 0 ? Buffer.alloc(0) : key.subarray(0, colon + 1);
}

/** FNV-1a, folded. */
function groupOf(bytes: Buffer): number {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193);
  return ((sum >>> 16) ^ sum) & (GROUPS - 1);
}

function counted(collection: Collection): Counted {
  return { count: collection.count, hash: collection.hex };
}
