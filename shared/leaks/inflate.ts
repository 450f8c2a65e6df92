import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";

/** How bytes are packed, as their first few tell. */
export type Packing = "gzip" | "zstd" | "zip" | "xz" | "bzip2" | "none";

/** So many bytes are enough to tell. */
export const MAGIC_LENGTH = 6;

const MAGIC: readonly (readonly [Packing, string])[] = [
  ["gzip", "1f8b08"],
  ["zstd", "28b52ffd"],
  ["zip", "504b0304"],
  ["xz", "fd377a585a00"],
  ["bzip2", "425a68"],
];

export function packingOf(head: Buffer): Packing {
  const hex = head.toString("hex", 0, MAGIC_LENGTH);
  return MAGIC.find(([, magic]) => hex.startsWith(magic))?.[0] ?? "none";
}

// Few large pieces are searched faster than many small ones.
const PIECE = 256 * 1_024;

/** A stream that unpacks; undefined for what Node.js cannot. */
export function unpacker(packing: Packing): Transform | undefined {
  if (packing === "gzip") return createGunzip({ chunkSize: PIECE });
  if (packing === "zstd") return createZstdDecompress({ chunkSize: PIECE });
  return undefined;
}
