import { createHash, type Hash } from "node:crypto";
import { crc32c } from "./crc32c.ts";

/** A checksum of a manifest, over bytes as they come. */
export interface FileSum {
  take(bytes: Buffer): void;
  /** In the manifest's hexadecimal digits. */
  digest(): string;
}

const HASHES: Readonly<Record<string, string>> = {
  SHA224: "sha224",
  SHA256: "sha256",
  SHA384: "sha384",
  SHA512: "sha512",
};

/** Undefined for an algorithm that nobody has written yet, and for none. */
export function fileSum(algorithm: string | undefined): FileSum | undefined {
  if (algorithm === "CRC32C") return new Crc32c();
  const name = HASHES[algorithm ?? ""];
  return name === undefined ? undefined : new Hashed(createHash(name));
}

class Crc32c implements FileSum {
  #sum = 0;

  take(bytes: Buffer): void {
    this.#sum = crc32c(bytes, this.#sum);
  }

  /** In the order of bytes of the server's machine, which is little-endian wherever this runs. */
  digest(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(this.#sum);
    return bytes.toString("hex");
  }
}

class Hashed implements FileSum {
  readonly #hash: Hash;

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  take(bytes: Buffer): void {
    this.#hash.update(bytes);
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}
