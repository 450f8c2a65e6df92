import { hash } from "node:crypto";

/** Documents of an index, added up so that their order does not matter. */
export interface ContentSums {
  /** Documents by bucket; which bucket a document is in, its `_id` alone says. */
  readonly counts: Uint32Array;
  /** Sums modulo 2^64 of the first 64 bits of SHA-256 of each document, by bucket. */
  readonly sums: BigUint64Array;
}

/** Few enough to be kept, and so many that one which moves hides hardly anything. */
const DOCUMENTS_PER_BUCKET = 16;
const FEWEST = 64;
const MOST = 65_536;

/** How many buckets suit so many documents: a power of two. */
export function bucketsFor(documents: number): number {
  const wanted = Math.max(1, documents / DOCUMENTS_PER_BUCKET);
  return Math.min(MOST, Math.max(FEWEST, 2 ** Math.ceil(Math.log2(wanted))));
}

/** Nothing, in so many buckets. */
export function emptySums(buckets: number): ContentSums {
  return { counts: new Uint32Array(buckets), sums: new BigUint64Array(buckets) };
}

/** Adds a document: its id, its routing where it has one, and its source byte by byte. */
export function addDocument(
  { counts, sums }: ContentSums,
  id: string,
  routing: string | undefined,
  source: Buffer,
): void {
  const bucket = bucketOf(id, counts.length);
  // Lengths before texts: no two documents make the same bytes.
  const head = `${Buffer.byteLength(id)}:${id}${routing === undefined ? "-" : `+${Buffer.byteLength(routing)}:${routing}`}`;
  const bytes = hash("sha256", Buffer.concat([Buffer.from(head), source]), "buffer");
  counts[bucket] = (counts[bucket] ?? 0) + 1;
  // The array itself keeps 64 bits.
  sums[bucket] = (sums[bucket] ?? 0n) + bytes.readBigUInt64LE(0);
}

/** FNV-1a over UTF-16, with its bits mixed once more: cheap, and even enough for buckets. */
export function bucketOf(id: string, buckets: number): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1)
    value = Math.imul(value ^ id.charCodeAt(at), 0x01000193);
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  return (value >>> 0) & (buckets - 1);
}

/** All documents of the sums. */
export function documentsIn({ counts }: ContentSums): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** The buckets in which two sums differ. */
export function differing(one: ContentSums, other: ContentSums): number[] {
  const found: number[] = [];
  for (let bucket = 0; bucket < one.counts.length; bucket += 1) {
    const isSame =
      one.counts[bucket] === other.counts[bucket] && one.sums[bucket] === other.sums[bucket];
    if (!isSame) found.push(bucket);
  }
  return found;
}

/** Sums as text, for a fingerprint. */
export interface WrittenSums {
  readonly counts: string;
  readonly sums: string;
}

export function writeSums({ counts, sums }: ContentSums): WrittenSums {
  const text = (array: Uint32Array | BigUint64Array) =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
  return { counts: text(counts), sums: text(sums) };
}

/** The sums of a text; undefined where it is none. */
export function readSums({ counts, sums }: WrittenSums): ContentSums | undefined {
  const few = Uint8Array.from(Buffer.from(counts, "base64"));
  const many = Uint8Array.from(Buffer.from(sums, "base64"));
  if (few.length % 4 !== 0 || many.length !== few.length * 2) return undefined;
  return { counts: new Uint32Array(few.buffer), sums: new BigUint64Array(many.buffer) };
}
