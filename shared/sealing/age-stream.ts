import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { BrokenSeal } from "./broken-seal.ts";
import type { Input } from "./input.ts";
import { inPieces } from "./stage.ts";

/** The payload of an age file, as its specification (age-encryption.org/v1) has it: STREAM. */
const PIECE = 64 * 1024;
const TAG = 16;
const NONCE = 16;
const CIPHER = "chacha20-poly1305";

/** The payload that follows a header with this file key: a nonce, then the pieces. */
export async function* encryptPayload(
  fileKey: Uint8Array,
  content: AsyncIterable<Buffer>,
): AsyncIterable<Buffer> {
  const nonce = randomBytes(NONCE);
  yield nonce;
  const pieces = new Pieces(payloadKey(fileKey, nonce));
  let held: Buffer | undefined;
  for await (const piece of inPieces(content, PIECE)) {
    if (held !== undefined) yield pieces.encrypt(held, false);
    held = piece;
  }
  yield pieces.encrypt(held ?? Buffer.alloc(0), true);
}

/**
 * What the payload behind a header with this file key holds.
 *
 * @throws {BrokenSeal} where a piece is not what was written, and where some are missing, too many
 *   or in another order. What came before it has been given out.
 */
export async function* decryptPayload(fileKey: Uint8Array, payload: Input): AsyncIterable<Buffer> {
  const nonce = Buffer.from(await payload.peek(NONCE));
  for await (const _ of payload.take(NONCE));
  const pieces = new Pieces(payloadKey(fileKey, nonce));
  let held: Buffer | undefined;
  let count = 0;
  for await (const piece of inPieces(payload.rest(), PIECE + TAG)) {
    if (held !== undefined) yield pieces.decrypt(held, false);
    held = piece;
    count++;
  }
  if (held === undefined) throw damage("ends before its first piece");
  const last = pieces.decrypt(held, true);
  // Only a file of no bytes at all has an empty last piece.
  if (last.length === 0 && count > 1) throw damage("has an empty piece at its end");
  yield last;
}

function payloadKey(fileKey: Uint8Array, nonce: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}

function damage(what: string): BrokenSeal {
  return new BrokenSeal("encryption", what);
}

/** Each piece is sealed under its number, and the last one under a sign that it is the last. */
class Pieces {
  readonly #key: Buffer;
  readonly #nonce = Buffer.alloc(12);
  #number = 0;

  constructor(key: Buffer) {
    this.#key = key;
  }

  encrypt(piece: Buffer, isLast: boolean): Buffer {
    const cipher = createCipheriv(CIPHER, this.#key, this.#next(isLast), { authTagLength: TAG });
    return Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
  }

  decrypt(piece: Buffer, isLast: boolean): Buffer {
    const at = this.#number;
    if (piece.length < TAG) throw damage("ends in the middle of a piece");
    const nonce = this.#next(isLast);
    const decipher = createDecipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG });
    decipher.setAuthTag(piece.subarray(piece.length - TAG));
    const plain = decipher.update(piece.subarray(0, piece.length - TAG));
    try {
      decipher.final();
    } catch {
      const where = isLast ? "its end is missing, or changed" : `changed in 64 KiB piece ${at + 1}`;
      throw damage(`is not what was encrypted: ${where}`);
    }
    return plain;
  }

  #next(isLast: boolean): Buffer {
    // Eleven bytes in the format; this many pieces would be more than any storage holds.
    this.#nonce.writeUIntBE(this.#number++, 5, 6);
    this.#nonce.writeUInt8(isLast ? 1 : 0, 11);
    return this.#nonce;
  }
}
