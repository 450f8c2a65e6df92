/** A change of bytes; the same bytes always give the same. */
export type Damage = (bytes: Buffer) => Buffer;

/** One bit is the other, at a part of the whole: 0 is the first byte, 1 the last. */
export function flipped(at: number, bit = 0): Damage {
  return (bytes) => {
    const damaged = Buffer.from(bytes);
    const index = Math.min(bytes.length - 1, Math.floor(bytes.length * at));
    damaged[index] = (damaged[index] ?? 0) ^ (1 << bit);
    return damaged;
  };
}

/** Zeros over a stretch, as a disk or a file system leaves them. */
export function zeroed(at: number, length: number): Damage {
  return (bytes) => {
    const damaged = Buffer.from(bytes);
    const from = Math.floor(bytes.length * at);
    return damaged.fill(0, from, Math.min(from + length, bytes.length));
  };
}

/** Only the beginning. */
export function truncated(to: number): Damage {
  return (bytes) => bytes.subarray(0, Math.floor(bytes.length * to));
}

/** Without its last bytes. */
export function shortened(by: number): Damage {
  return (bytes) => bytes.subarray(0, Math.max(0, bytes.length - by));
}

/** A stretch in the middle is not there. */
export function excised(at: number, length: number): Damage {
  return (bytes) => {
    const from = Math.floor(bytes.length * at);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
  };
}

export function replaced(by: string | Buffer): Damage {
  return () => Buffer.from(by);
}

export function followedBy(by: string | Buffer): Damage {
  return (bytes) => Buffer.concat([bytes, Buffer.from(by)]);
}

export function twice(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, bytes]);
}

/** A change of the text; an error where it changes nothing, for then the case tests nothing. */
export function text(change: (text: string) => string): Damage {
  return (bytes) => {
    const before = bytes.toString("utf8");
    const after = change(before);
    if (after === before) throw new Error("The fault changed nothing.");
    return Buffer.from(after);
  };
}

/** A passage of the text is another. */
export function passage(from: string | RegExp, to: string): Damage {
  return text((whole) => whole.replace(from, () => to));
}

/** Blocks of a file in another order. */
export function swappedHalves(bytes: Buffer): Buffer {
  const half = Math.floor(bytes.length / 2);
  return Buffer.concat([bytes.subarray(half), bytes.subarray(0, half)]);
}
