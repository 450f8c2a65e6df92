import { hex } from "./contents.ts";
import type { LargeObjects, Parts } from "./fingerprint.ts";
import type { Reader } from "./sessions.ts";

const MOST_PARTS = 64;
/** Large objects are read in pieces of this size, in bytes. */
const PIECE = 1_048_576;
const INV_READ = 262_144;

interface Sum {
  readonly part: number;
  readonly objects: string;
  readonly bytes: string;
  readonly h: string;
}

/**
 * Counts and hashes large objects, through the functions that everybody may call who may read them.
 *
 * @param like the parts of another fingerprint, to be divided alike.
 */
export async function readLargeObjects(reader: Reader, like?: LargeObjects): Promise<LargeObjects> {
  const owned = await reader.query<{ owner: string; n: number }>(
    "SELECT pg_get_userbyid(lomowner) AS owner, count(*)::int AS n FROM pg_largeobject_metadata GROUP BY 1 ORDER BY 1",
  );
  const owners = Object.fromEntries(owned.map(({ owner, n }) => [owner, n]));
  const count = owned.reduce((sum, { n }) => sum + n, 0);
  if (count === 0) return { count: 0, bytes: 0, hash: hex(0n), owners: {} };
  const bounds = like === undefined ? await boundsOf(reader) : (like.parts?.bounds ?? []);
  const sums = await reader.query<Sum>(scan(bounds));
  const rows = new Array<number>(bounds.length + 1).fill(0);
  const hashes = new Array<bigint>(bounds.length + 1).fill(0n);
  for (const { part, objects, h } of sums) {
    rows[part] = Number(objects);
    hashes[part] = BigInt.asUintN(64, BigInt(h));
  }
  const parts: Parts | undefined =
    bounds.length === 0
      ? undefined
      : { column: "loid", type: "int8", bounds, rows, hashes: hashes.map(hex) };
  return {
    count,
    bytes: sums.reduce((sum, { bytes }) => sum + Number(bytes), 0),
    hash: hex(
      BigInt.asUintN(
        64,
        hashes.reduce((sum, hash) => sum + hash, 0n),
      ),
    ),
    owners,
    ...(parts === undefined ? {} : { parts }),
  };
}

async function boundsOf(reader: Reader): Promise<readonly string[]> {
  const found = await reader.query<{ bound: string }>(
    `SELECT min(oid::int8)::text AS bound FROM (SELECT oid, ntile(${MOST_PARTS}) OVER (ORDER BY oid) AS part FROM pg_largeobject_metadata) tiles
     GROUP BY part ORDER BY part OFFSET 1`,
  );
  return found.map(({ bound }) => bound);
}

// lo_lseek64 tells the size (2 is SEEK_END); each descriptor is closed at once, for they are few.
function scan(bounds: readonly string[]): string {
  const part =
    bounds.length === 0 ? "0" : `width_bucket(oid::int8, ARRAY[${bounds.join(", ")}]::int8[])`;
  return `SELECT ${part} AS part, count(*)::text AS objects, sum(size)::text AS bytes, sum(h)::text AS h
    FROM (
      SELECT oid, size, (
        SELECT sum(hashtextextended(encode(lo_get(oid, at, ${PIECE}), 'hex'), hashint8extended(oid::int8, at + 1)))
        FROM generate_series(0, size, ${PIECE}) AS at) AS h
      FROM (
        SELECT oid, size, lo_close(fd) FROM (
          SELECT oid, fd, lo_lseek64(fd, 0, 2) AS size FROM (
            SELECT oid, lo_open(oid, ${INV_READ}) AS fd FROM pg_largeobject_metadata ORDER BY oid OFFSET 0
          ) AS opened OFFSET 0
        ) AS sized OFFSET 0
      ) AS known OFFSET 0
    ) AS hashed GROUP BY 1`;
}
