import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  FrameReader,
  frameOf,
  OPCODE,
  ProtocolError,
} from "../../../shared/kubernetes/web-socket-frames.ts";

/** A frame as a server sends it: without a mask. */
function serverFrame(opcode: number, payload: Buffer, final = true): Buffer {
  const { length } = payload;
  const first = (final ? 0x80 : 0) | opcode;
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), payload]);
  if (length < 65_536) {
    return Buffer.concat([Buffer.from([first, 126, length >> 8, length & 255]), payload]);
  }
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** Takes the mask off a client's frame, as a server does. */
function unmasked(frame: Buffer): Buffer {
  const short = (frame[1] ?? 0) & 0x7f;
  const begin = short === 127 ? 10 : short === 126 ? 4 : 2;
  const mask = frame.subarray(begin, begin + 4);
  const payload = Buffer.from(frame.subarray(begin + 4));
  for (let at = 0; at < payload.length; at += 1) {
    payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
  }
  return payload;
}

function readAll(bytes: Buffer, sizes: readonly number[]) {
  const reader = new FrameReader();
  const messages = [];
  let at = 0;
  for (const size of sizes) {
    messages.push(...reader.push(bytes.subarray(at, at + size)));
    at += size;
  }
  messages.push(...reader.push(bytes.subarray(at)));
  return messages.map(({ opcode, payload }) => [opcode, payload.toString("latin1")]);
}

describe("frames of a server", () => {
  it("are put together wherever they were cut", () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
    const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 12 });
    fc.assert(
      fc.property(payloads, cuts, (parts, sizes) => {
        const buffers = parts.map((part) => Buffer.from(part));
        const bytes = Buffer.concat(buffers.map((part) => serverFrame(OPCODE.binary, part)));
        const expected = buffers.map((part) => [OPCODE.binary, part.toString("latin1")]);
        expect(readAll(bytes, sizes)).toEqual(expected);
      }),
    );
  });

  it.each([125, 126, 65_535, 65_536, 200_000])("of %i bytes are read", (length) => {
    const payload = Buffer.alloc(length, "x");
    const [[, text] = []] = readAll(serverFrame(OPCODE.binary, payload), [1, 1, 5]);
    expect(text).toHaveLength(length);
  });

  it("may be parts of a message, with control frames between them", () => {
    const bytes = Buffer.concat([
      serverFrame(OPCODE.binary, Buffer.from("a"), false),
      serverFrame(OPCODE.ping, Buffer.from("p")),
      serverFrame(OPCODE.continuation, Buffer.from("b"), false),
      serverFrame(OPCODE.continuation, Buffer.from("c")),
    ]);
    expect(readAll(bytes, [])).toEqual([
      [OPCODE.ping, "p"],
      [OPCODE.binary, "abc"],
    ]);
  });

  it.each<[string, Buffer]>([
    ["masks", Buffer.from([0x82, 0x81, 1, 2, 3, 4, 5])],
    ["claims too much", Buffer.from([0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0])],
  ])("are refused of a server that %s", (_, bytes) => {
    expect(() => new FrameReader().push(bytes)).toThrow(ProtocolError);
  });
});

describe("frames of a client", () => {
  it("are masked, and whole", () => {
    for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
      const payload = Buffer.alloc(length, "abc");
      const frame = frameOf(OPCODE.binary, payload);
      expect(frame[0]).toBe(0x82);
      expect((frame[1] ?? 0) & 0x80).toBe(0x80);
      expect(unmasked(frame).equals(payload)).toBe(true);
    }
  });
});
