import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import { type Format, type Layer, type Recognised, recognised } from "./format.ts";
import { lz4HeadOf } from "./lz4.ts";

/** How many bytes of a file are enough for `recogniseHead`. */
export const HEAD_BYTES = 65_536;
/** Layers within layers beyond this are no backup but a trap. */
const DEEPEST = 5;

/**
 * Tells from its first bytes what a file is, through the compressions around it.
 *
 * @param head the first HEAD_BYTES of the file, or all of it.
 */
export function recogniseHead(head: Buffer): Recognised {
  const layers: Layer[] = [];
  let inner = head;
  while (layers.length < DEEPEST) {
    const layer = layerOf(inner);
    if (layer === undefined) return recognised(layers, formatOf(inner));
    layers.push(layer);
    const opened = openHead(layer, inner);
    if (opened === undefined) return recognised(layers, "sealed");
    inner = opened;
  }
  return recognised(layers, "unknown");
}

const MAGIC: readonly (readonly [Layer, Buffer])[] = [
  ["gzip", Buffer.from([0x1f, 0x8b])],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ["lz4", Buffer.from([0x04, 0x22, 0x4d, 0x18])],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ["bzip2", Buffer.from("BZh")],
  ["zip", Buffer.from([0x50, 0x4b, 0x03, 0x04])],
  ["age", Buffer.from("age-encryption.org/v1")],
  ["age", Buffer.from("-----BEGIN AGE ENCRYPTED FILE-----")],
  ["openssl", Buffer.from("Salted__")],
];

/** The compression or encryption that bytes begin with. */
export function layerOf(head: Buffer): Layer | undefined {
  return MAGIC.find(([, magic]) => head.subarray(0, magic.length).equals(magic))?.[0];
}

/** What can be had of a layer's content from its beginning; undefined where nothing can. */
function openHead(layer: Layer, head: Buffer): Buffer | undefined {
  try {
    switch (layer) {
      case "gzip":
        return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 27 });
      case "zstd":
        return zstdDecompressSync(head, {
          finishFlush: constants.ZSTD_e_continue,
          maxOutputLength: 1 << 27,
        });
      case "lz4":
        return lz4HeadOf(head);
      default:
        return undefined;
    }
  } catch {
    return Buffer.alloc(0);
  }
}

const START_OF_RDB = /^REDIS\d{4}/;

/** What bytes without any layer are. */
export function formatOf(head: Buffer): Format {
  if (head.length === 0) return "empty";
  const start = head.toString("latin1", 0, 5);
  if (start === "PGDMP") return "pg-custom";
  if (START_OF_RDB.test(head.toString("latin1", 0, 9))) return "rdb";
  const tar = tarFormatOf(head);
  if (tar !== undefined) return tar;
  return textFormatOf(head);
}

/** Told by the first member; ustar's magic is at 257. */
function tarFormatOf(head: Buffer): Format | undefined {
  if (head.length < 512 || head.toString("latin1", 257, 262) !== "ustar") return undefined;
  const first = head.toString("latin1", 0, 100).replace(/\0.*$/s, "").replace(/^\.\//, "");
  if (first === "toc.dat" && head.toString("latin1", 512, 517) === "PGDMP") return "pg-tar";
  // Its table of contents comes first; where that is lost, the others still tell what it was.
  if (/^(\d+\.dat|blobs(_\d+)?\.toc|blob_\d+\.dat|restore\.sql)$/.test(first)) return "pg-tar";
  if (["backup_label", "backup_manifest", "PG_VERSION", "tablespace_map"].includes(first)) {
    return "pg-basebackup";
  }
  return /^[0-9A-F]{24}$/.test(first) ? "pg-basebackup" : "tar";
}

const SQL_WORDS =
  /^(--|\/\*|\\|(ALTER|ANALYZE|BEGIN|COMMENT|COMMIT|COPY|CREATE|DELETE|DO|DROP|GRANT|INSERT|LOCK|REVOKE|SELECT|SET|START|TRUNCATE|UPDATE|USE)\b)/i;

function textFormatOf(head: Buffer): Format {
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    return "utf16-text";
  }
  const text = head
    .toString("latin1", 0, 4096)
    .replace(/^\xef\xbb\xbf/, "")
    .trimStart();
  if (text === "") return /^[\s\0]*$/.test(head.toString("latin1")) ? "empty" : "unknown";
  if (/^(<!doctype|<html|<\?xml|<head|<body|<error)/i.test(text)) return "html";
  if (/^[{[]/.test(text) && /^[{[]\s*(["{[\]}\d]|true|false|null|$)/.test(text)) return "json";
  if (/^-- PostgreSQL database cluster dump/m.test(text)) return "pg-plain-cluster";
  if (/^-- PostgreSQL database dump/m.test(text) || /^-- Dumped from database/m.test(text)) {
    return "pg-plain";
  }
  if (
    /^(-- (MySQL|MariaDB) dump|\/\*M?!999999|-- Server version\t|\/\*!40\d{3} SET )/m.test(text)
  ) {
    return "mysql";
  }
  if (SQL_WORDS.test(text)) return "sql";
  const printable = head.subarray(0, 512).every((byte) => byte >= 0x20 || (byte > 8 && byte < 14));
  return printable ? "text" : "unknown";
}
