import { randomBytes } from "node:crypto";

/** What a frame is, as RFC 6455, section 5.2, numbers it. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A whole message, put together from its frames, or a control frame. */
export interface Message {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** More than any server of Kubernetes puts into one message; what claims more is no such server. */
const LONGEST_MESSAGE = 32 * 1024 * 1024;

/** A server that does not keep to RFC 6455. */
export class ProtocolError extends Error {}

/**
 * Takes what comes from a WebSocket server apart into messages, wherever the pieces were cut.
 *
 * Source: RFC 6455, sections 5.2 to 5.5.
 */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #opcode: number = OPCODE.continuation;
  #parts: Buffer[] = [];
  #size = 0;

  /** @throws {ProtocolError} */
  push(chunk: Buffer): readonly Message[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: Message[] = [];
    for (;;) {
      const head = headOf(this.#rest);
      if (head === undefined || this.#rest.length < head.length + head.payload) return messages;
      const payload = this.#rest.subarray(head.length, head.length + head.payload);
      this.#rest = this.#rest.subarray(head.length + head.payload);
      const message = this.#take(head, payload);
      if (message !== undefined) messages.push(message);
    }
  }

  #take({ final, opcode }: Head, payload: Buffer): Message | undefined {
    // Control frames may stand between the parts of a message, and are never in parts themselves.
    if (opcode >= OPCODE.close) return { opcode, payload };
    if (opcode !== OPCODE.continuation) this.#opcode = opcode;
    this.#parts.push(payload);
    this.#size += payload.length;
    if (this.#size > LONGEST_MESSAGE) throw new ProtocolError("a message is too long");
    if (!final) return undefined;
    const [only] = this.#parts;
    const whole =
      this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    return { opcode: this.#opcode, payload: whole };
  }
}

interface Head {
  readonly final: boolean;
  readonly opcode: number;
  /** Bytes of the head itself, and of the payload that follows it. */
  readonly length: number;
  readonly payload: number;
}

/** The head at the start of the bytes; undefined while it is not whole. */
function headOf(bytes: Buffer): Head | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  if ((second & 0x80) !== 0) throw new ProtocolError("the server masks what it sends");
  const short = second & 0x7f;
  const length = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < length) return undefined;
  const payload =
    short === 126
      ? bytes.readUInt16BE(2)
      : short === 127
        ? Number(bytes.readBigUInt64BE(2))
        : short;
  if (payload > LONGEST_MESSAGE) throw new ProtocolError("a message is too long");
  return { final: (first & 0x80) !== 0, opcode: first & 0x0f, length, payload };
}

/** One frame as a client sends it: whole and masked (RFC 6455, sections 5.1 and 5.3). */
export function frameOf(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | length])
      : length < 65_536
        ? Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 0xff])
        : longHead(opcode, length);
  const frame = Buffer.concat([head, mask, payload]);
  const begin = head.length + 4;
  for (let at = 0; at < length; at += 1) {
    frame[begin + at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  }
  return frame;
}

function longHead(opcode: number, length: number): Buffer {
  const head = Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}
