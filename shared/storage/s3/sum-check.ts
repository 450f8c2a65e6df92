import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { partSize, planOf } from "../transfer/part-size.ts";
import type { ObjectFacts } from "./object.ts";

/** Sums what is read of a whole object, to be held against what the storage says of it. */
export interface SumCheck {
  add(bytes: Buffer): void;
  /** What differs; undefined where nothing does. */
  verdict(): string | undefined;
}

/** The best check that the storage's sums allow; undefined where it tells none that can be made. */
export function sumCheckFor(facts: ObjectFacts): SumCheck | undefined {
  const { sha256, crc32: crc, etag, plan, encryption } = facts;
  const equal = planOf(plan);
  if (sha256 !== undefined && !sha256.includes("-")) return new Whole("sha256", "base64", sha256);
  if (sha256 !== undefined && equal !== undefined) {
    return new ByParts("sha256", "base64", sha256, equal);
  }
  if (crc !== undefined && !crc.includes("-")) return new Crc32(crc);
  // With a key of KMS an ETag is no MD5.
  if (encryption !== undefined && encryption !== "AES256") return undefined;
  if (/^[0-9a-f]{32}$/.test(etag)) return new Whole("md5", "hex", etag);
  if (/^[0-9a-f]{32}-\d+$/.test(etag) && equal !== undefined) {
    return new ByParts("md5", "hex", etag, equal);
  }
  return undefined;
}

function compare(algorithm: string, stored: string, found: string): string | undefined {
  if (stored === found) return undefined;
  return `its ${algorithm.toUpperCase()} is ${stored} there, and what was read has ${found}`;
}

class Whole implements SumCheck {
  readonly #algorithm: string;
  readonly #form: "base64" | "hex";
  readonly #stored: string;
  readonly #hash: Hash;

  constructor(algorithm: string, form: "base64" | "hex", stored: string) {
    this.#algorithm = algorithm;
    this.#form = form;
    this.#stored = stored;
    this.#hash = createHash(algorithm);
  }

  add(bytes: Buffer): void {
    this.#hash.update(bytes);
  }

  verdict(): string | undefined {
    return compare(this.#algorithm, this.#stored, this.#hash.digest(this.#form));
  }
}

class Crc32 implements SumCheck {
  readonly #stored: string;
  #sum = 0;

  constructor(stored: string) {
    this.#stored = stored;
  }

  add(bytes: Buffer): void {
    this.#sum = crc32(bytes, this.#sum);
  }

  verdict(): string | undefined {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#sum);
    return compare("crc32", this.#stored, bytes.toString("base64"));
  }
}

/** A sum of the sums of parts, which are where our own plan has them. */
class ByParts implements SumCheck {
  readonly #algorithm: string;
  readonly #form: "base64" | "hex";
  readonly #stored: string;
  readonly #equal: boolean;
  readonly #sums: Hash;
  #part: Hash;
  #index = 0;
  #before = 0;
  #room: number;

  constructor(algorithm: string, form: "base64" | "hex", stored: string, equal: boolean) {
    this.#algorithm = algorithm;
    this.#form = form;
    this.#stored = stored.replace(/-\d+$/, "");
    this.#equal = equal;
    this.#sums = createHash(algorithm);
    this.#part = createHash(algorithm);
    this.#room = partSize(0, 0, equal);
  }

  add(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#room === 0) this.#next();
      const taken = rest.subarray(0, this.#room);
      this.#part.update(taken);
      this.#room -= taken.length;
      rest = rest.subarray(taken.length);
    }
  }

  #next(): void {
    this.#sums.update(this.#part.digest());
    this.#before += partSize(this.#index, this.#before, this.#equal);
    this.#index += 1;
    this.#part = createHash(this.#algorithm);
    this.#room = partSize(this.#index, this.#before, this.#equal);
  }

  verdict(): string | undefined {
    this.#sums.update(this.#part.digest());
    return compare(this.#algorithm, this.#stored, this.#sums.digest(this.#form));
  }
}
