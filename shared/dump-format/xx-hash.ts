const P1 = 2_654_435_761;
const P2 = 2_246_822_519;
const P3 = 3_266_489_917;
const P4 = 668_265_263;
const P5 = 374_761_393;
const STRIPE = 16;

/** The sum that lz4 keeps; Node has none of it. Source: xxHash's specification, XXH32, seed 0. */
export class XxHash32 {
  #lanes = [(P1 + P2) | 0, P2 | 0, 0, -P1 | 0] as [number, number, number, number];
  #rest: Buffer = Buffer.alloc(0);
  #bytes = 0;

  update(bytes: Buffer): void {
    this.#bytes += bytes.length;
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const whole = all.length - (all.length % STRIPE);
    let [a, b, c, d] = this.#lanes;
    for (let at = 0; at < whole; at += STRIPE) {
      a = round(a, all.readInt32LE(at));
      b = round(b, all.readInt32LE(at + 4));
      c = round(c, all.readInt32LE(at + 8));
      d = round(d, all.readInt32LE(at + 12));
    }
    this.#lanes = [a, b, c, d];
    this.#rest = Buffer.from(all.subarray(whole));
  }

  digest(): number {
    const [a, b, c, d] = this.#lanes;
    let sum =
      this.#bytes >= STRIPE ? (turn(a, 1) + turn(b, 7) + turn(c, 12) + turn(d, 18)) | 0 : P5 | 0;
    sum = (sum + this.#bytes) | 0;
    let at = 0;
    for (; at + 4 <= this.#rest.length; at += 4) {
      sum = (sum + Math.imul(this.#rest.readInt32LE(at), P3)) | 0;
      sum = Math.imul(turn(sum, 17), P4);
    }
    for (; at < this.#rest.length; at++) {
      sum = (sum + Math.imul(this.#rest[at] ?? 0, P5)) | 0;
      sum = Math.imul(turn(sum, 11), P1);
    }
    sum = Math.imul(sum ^ (sum >>> 15), P2);
    sum = Math.imul(sum ^ (sum >>> 13), P3);
    return (sum ^ (sum >>> 16)) >>> 0;
  }
}

/** The sum of all bytes at once. */
export function xxHash32(bytes: Buffer): number {
  const sum = new XxHash32();
  sum.update(bytes);
  return sum.digest();
}

function round(lane: number, word: number): number {
  return Math.imul(turn((lane + Math.imul(word, P2)) | 0, 13), P1);
}

function turn(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
