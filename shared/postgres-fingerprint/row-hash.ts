import { quoteIdentifier } from "../postgres/index.ts";

/** A column as far as its values' text goes. */
export interface HashedColumn {
  readonly name: string;
  /** Its type, or what its domain is made of: `int8`. */
  readonly type: string;
  /** Whether the type came with the server. */
  readonly builtIn: boolean;
}

// Stand for NULL. That a value is one of them by chance is as likely as that two hashes are equal.
const NULL_TEXT = "'\\x01 null 3c1b6f0e-52d9-4b83-9a41-d7c8e0b5f266'";
const NULL_NUMBER = "(-6148914617093342105)::int8";
const NULL_UUID = "'3c1b6f0e-52d9-4b83-9a41-d7c8e0b5f266'::uuid";
/** Where every row's hash begins: not 0, which the server's functions take for "no seed". */
const SEED = "7205759403792793601";

/**
 * A SQL expression that hashes one row of a table to 64 bits: each column's value is hashed with the
 * hash so far as its seed, columns in the order of their names.
 *
 * Values go in as their text; but numbers of whole bytes and UUIDs as they are, which is quicker and
 * as true. The server's extended hash functions give the same on every version since 11 and on every
 * little-endian machine: hash partitioning stands on that. Text is hashed byte by byte, whatever its
 * collation says of equality.
 */
export function rowHash(columns: readonly HashedColumn[]): string {
  return columns.reduce((seed, column) => valueHash(column, seed), SEED);
}

function valueHash({ name, type, builtIn }: HashedColumn, seed: string): string {
  const value = quoteIdentifier(name);
  if (!builtIn)
    return textHash(`CASE WHEN ${value} IS NOT NULL THEN format('%s', ${value}) END`, seed);
  if (type === "int2" || type === "int4") {
    return `hashint8extended(coalesce(${value}::int8, ${NULL_NUMBER}), ${seed})`;
  }
  if (type === "int8") {
    // The function folds 64 bits to 32; with the upper half hashed beside it nothing is lost.
    const number = `coalesce(${value}::int8, ${NULL_NUMBER})`;
    return `hashint8extended(${number}, hashint4extended((${number} >> 32)::int4, ${seed}))`;
  }
  if (type === "uuid") return `uuid_hash_extended(coalesce(${value}::uuid, ${NULL_UUID}), ${seed})`;
  return textHash(`${value}::text`, seed);
}

function textHash(text: string, seed: string): string {
  return `hashtextextended(coalesce(${text}, ${NULL_TEXT}) COLLATE "C", ${seed})`;
}
