import type { Readable, Transform } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";

/** Of a body, no more than this is kept in memory, encoded or decoded. */
export const BODY_LIMIT_BYTES = 1024 * 1024;
/** Where nobody needs the end of a body, reading stops after this. */
const READ_LIMIT_BYTES = 8 * BODY_LIMIT_BYTES;

/** After so much of all bodies, what was read and thrown away is collected. */
const COLLECT_EVERY_BYTES = 16 * BODY_LIMIT_BYTES;

/** A body as it came over the wire. */
export interface RawBody {
  /** Its beginning, of at most 1 MiB. */
  readonly kept: Buffer;
  /** How much of it was read. */
  readonly bytes: number;
  /** Whether it was read to its end; false when the rest was not wanted. */
  readonly complete: boolean;
}

/**
 * Reads a body: the first MiB is kept and the rest counted, up to 8 MiB or, when `whole`, to its
 * end. Stopping closes the connection.
 */
export async function readBody(
  stream: Readable,
  whole: boolean,
  onBytes: (bytes: number) => void,
): Promise<RawBody> {
  const chunks: Buffer[] = [];
  let kept = 0;
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    onBytes(bytes);
    const part = chunk.subarray(0, BODY_LIMIT_BYTES - kept);
    if (part.length > 0) chunks.push(part);
    kept += part.length;
    collectGarbage(chunk.length);
    if (!whole && bytes > READ_LIMIT_BYTES) {
      return { kept: Buffer.concat(chunks), bytes, complete: false };
    }
  }
  return { kept: Buffer.concat(chunks), bytes, complete: true };
}

let uncollected = 0;
let collect: ((options: { readonly type: "minor" }) => void) | undefined;

/**
 * Buffers lie outside of the heap, and V8 lets some 80 MB of them pile up before it looks: more
 * than all the rest of an action needs. The young generation alone is gone through in no time.
 */
function collectGarbage(bytes: number): void {
  uncollected += bytes;
  if (uncollected < COLLECT_EVERY_BYTES) return;
  uncollected = 0;
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as typeof collect;
  }
  collect?.({ type: "minor" });
}

/** A body as text. */
export interface Text {
  readonly text: string;
  /** Whether there is more of it than the text shows. */
  readonly truncated: boolean;
  /** Why it could not be decoded; the text is then the encoded body. */
  readonly undecodable: string | undefined;
}

/**
 * Decodes a body by its headers Content-Encoding (RFC 9110, section 8.4) and the charset of
 * Content-Type; a charset that is not given or not known counts as UTF-8.
 */
export async function decodeBody(
  { kept, bytes }: Pick<RawBody, "kept" | "bytes">,
  headers: Readonly<Record<string, string>>,
): Promise<Text> {
  const cut = bytes > kept.length;
  const read = decoderOf(headers["content-type"] ?? "");
  try {
    const { content, truncated } = await decodeContent(kept, headers["content-encoding"], cut);
    return { text: read.decode(content), truncated, undecodable: undefined };
  } catch (error) {
    const { message } = error as Error;
    return { text: read.decode(kept), truncated: cut, undecodable: message };
  }
}

async function decodeContent(
  raw: Buffer,
  encodings: string | undefined,
  cut: boolean,
): Promise<{ readonly content: Buffer; readonly truncated: boolean }> {
  const names = (encodings ?? "").toLowerCase().split(",");
  let content = raw;
  let truncated = cut;
  // They are listed in the order in which they were applied. No content has no encoding.
  for (const name of names.map((each) => each.trim()).reverse()) {
    if (name === "" || name === "identity" || content.length === 0) continue;
    const decoded = await inflate(decompressor(name, truncated), content);
    content = decoded.content;
    truncated ||= decoded.truncated;
  }
  return { content, truncated };
}

/** @throws when the encoding is not known. */
function decompressor(name: string, cut: boolean): Transform {
  // What was cut off lacks its end; all else must have it.
  switch (name) {
    case "gzip":
    case "x-gzip":
      return createGunzip(cut ? { finishFlush: constants.Z_SYNC_FLUSH } : {});
    case "deflate":
      return createInflate(cut ? { finishFlush: constants.Z_SYNC_FLUSH } : {});
    case "br":
      return createBrotliDecompress(cut ? { finishFlush: constants.BROTLI_OPERATION_FLUSH } : {});
    case "zstd":
      return createZstdDecompress(cut ? { finishFlush: constants.ZSTD_e_flush } : {});
    default:
      throw new Error(`the encoding ${JSON.stringify(name)} is not known here`);
  }
}

async function inflate(decompressing: Transform, content: Buffer) {
  decompressing.end(content);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of decompressing as AsyncIterable<Buffer>) {
    size += chunk.length;
    chunks.push(chunk);
    // A few bytes may unpack to any number of them.
    if (size > BODY_LIMIT_BYTES) break;
  }
  const whole = Buffer.concat(chunks);
  return { content: whole.subarray(0, BODY_LIMIT_BYTES), truncated: size > BODY_LIMIT_BYTES };
}

function decoderOf(contentType: string): InstanceType<typeof TextDecoder> {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}
