import { createHash, type Hash, hash } from "node:crypto";

const LANES = 8;

/**
 * A hash of a collection that does not depend on its order: the sum of its members' SHA-256, taken
 * in eight lanes of 32 bits. A member that is missing, changed or there twice changes it.
 */
export class Collection {
  readonly #lanes = new Uint32Array(LANES);
  count = 0;

  add(member: Buffer): void {
    this.addDigest(sha256(member));
  }

  addDigest(digest: Buffer): void {
    for (let lane = 0; lane < LANES; lane += 1) {
      this.#lanes[lane] = (this.#lanes[lane] as number) + digest.readUInt32LE(lane * 4);
    }
    this.count += 1;
  }

  get digest(): Buffer {
    const bytes = Buffer.alloc(LANES * 4);
    for (let lane = 0; lane < LANES; lane += 1) {
      bytes.writeUInt32LE(this.#lanes[lane] as number, lane * 4);
    }
    return bytes;
  }

  get hex(): string {
    return this.digest.toString("hex");
  }
}

export function sha256(bytes: Buffer): Buffer {
  return hash("sha256", bytes, "buffer");
}

/** Hashes in order, and gives the bytes to the hash in larger pieces. */
export class Sequence {
  readonly #hash: Hash = createHash("sha256");
  readonly #buffer = Buffer.allocUnsafe(4096);
  #filled = 0;

  add(bytes: Buffer): void {
    if (this.#filled + bytes.length > this.#buffer.length) this.#flush();
    if (bytes.length > this.#buffer.length) this.#hash.update(bytes);
    else this.#filled += bytes.copy(this.#buffer, this.#filled);
  }

  get digest(): Buffer {
    this.#flush();
    return this.#hash.digest();
  }

  #flush(): void {
    if (this.#filled > 0) this.#hash.update(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }
}
