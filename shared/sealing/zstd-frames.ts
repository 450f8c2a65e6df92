import zlib from "node:zlib";
import { BrokenSeal } from "./broken-seal.ts";
import { Input } from "./input.ts";
import { piped } from "./stage.ts";

const MAGIC = 0xfd2fb528;
/** Frames that hold something for other programs begin with this and any last digit. */
const SKIPPABLE = 0x184d2a50;

/**
 * Decompresses zstd frames, one after the other. Node's own decoder stops after the first frame of
 * what it is given at once and drops the others without a word, so the frames are told apart here,
 * by the lengths of their blocks (RFC 8878, section 3.1.1).
 *
 * @throws {BrokenSeal} where it is none, or ends within a frame.
 */
export async function* unpackZstd(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const tooShort = () => new BrokenSeal("compression", "ends in the middle of its zstd data");
  const input = new Input(content, tooShort);
  let any = false;
  while (!(await input.atEnd())) {
    any = true;
    const magic = (await input.peek(4)).readUInt32LE(0);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) await skip(input);
    else if (magic !== MAGIC) throw new BrokenSeal("compression", "is no zstd data");
    else yield* piped(frame(input), zlib.createZstdDecompress({ chunkSize: 256 * 1024 }), trouble);
  }
  if (!any) throw new BrokenSeal("compression", "is empty, where zstd data should be");
}

function trouble(error: Error): Error {
  return new BrokenSeal("compression", `is no sound zstd data (${error.message})`);
}

async function skip(input: Input): Promise<void> {
  const head = await input.peek(8);
  for await (const _ of input.take(8 + head.readUInt32LE(4)));
}

/** The bytes of the one frame that the input is at the beginning of. */
async function* frame(input: Input): AsyncIterable<Buffer> {
  const descriptor = (await input.peek(5)).readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeOfContentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const sizeOfDictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  yield* input.take(5 + (isSingleSegment ? 0 : 1) + sizeOfDictionary + sizeOfContentSize);
  for (let isLast = false; !isLast; ) {
    const block = (await input.peek(3)).readUIntLE(0, 3);
    isLast = (block & 1) !== 0;
    const type = (block >> 1) & 3;
    if (type === 3) throw new BrokenSeal("compression", "is no sound zstd data (reserved block)");
    // A block of one repeated byte names the number of repetitions instead of its length.
    yield* input.take(3 + (type === 1 ? 1 : block >> 3));
  }
  if ((descriptor & 4) !== 0) yield* input.take(4);
}
