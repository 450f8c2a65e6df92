import { createHash } from "node:crypto";
import type { Stage } from "../sealing/index.ts";

/** Counts and sums the bytes that stream by. */
export class Sum {
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #digest: string | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  /** Of all bytes so far, which are all from then on. */
  get sha256(): string {
    this.#digest ??= this.#hash.digest("hex");
    return this.#digest;
  }

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** @param onBytes told of each chunk's length as it passes. */
  stage(onBytes: (bytes: number) => void = () => {}): Stage {
    const add = (chunk: Buffer) => {
      this.add(chunk);
      onBytes(chunk.length);
    };
    return async function* summed(content) {
      for await (const chunk of content) {
        add(chunk);
        yield chunk;
      }
    };
  }
}
