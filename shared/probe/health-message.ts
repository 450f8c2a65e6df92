/** The states of a service that the health protocol knows. */
export const SERVING_STATUS = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;

/**
 * A HealthCheckRequest: `string service = 1`.
 *
 * Source: grpc.health.v1 in grpc/grpc, doc/health-checking.md; the encoding is that of Protocol
 * Buffers, protobuf.dev/programming-guides/encoding.
 */
export function encodeHealthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  // The default value of a field, the empty text, is not written.
  if (name.length === 0) return name;
  return Buffer.concat([Buffer.from([(1 << 3) | LENGTH_DELIMITED]), varint(name.length), name]);
}

/**
 * The state in a HealthCheckResponse: `ServingStatus status = 1`; fields that are not known are
 * passed over. A state that is not known is given as its number.
 *
 * @throws when the bytes are no message.
 */
export function decodeHealthResponse(bytes: Buffer): string {
  let status = 0;
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    const kind = tag.value & 7;
    const field = tag.value >>> 3;
    if (field === 0) throw new Error("a field has the number 0");
    const { value, next } = readField(bytes, tag.next, kind);
    if (field === 1 && kind === VARINT) status = value;
    at = next;
  }
  return SERVING_STATUS[status] ?? `status ${status}`;
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

interface Read {
  readonly value: number;
  /** Where the next thing begins. */
  readonly next: number;
}

function readField(bytes: Buffer, at: number, kind: number): Read {
  if (kind === VARINT) return readVarint(bytes, at);
  const head = kind === LENGTH_DELIMITED ? readVarint(bytes, at) : { value: 0, next: at };
  const length = kind === FIXED_64 ? 8 : kind === FIXED_32 ? 4 : head.value;
  if (![FIXED_64, LENGTH_DELIMITED, FIXED_32].includes(kind)) {
    throw new Error(`a field is of the unknown kind ${kind}`);
  }
  if (head.next + length > bytes.length) throw new Error("a field is cut off");
  return { value: 0, next: head.next + length };
}

/** Of numbers beyond 2^53 only the size matters here. */
function readVarint(bytes: Buffer, from: number): Read {
  let value = 0;
  for (let length = 0; length < 10; length += 1) {
    const byte = bytes[from + length];
    if (byte === undefined) throw new Error("a number is cut off");
    value += (byte & 0x7f) * 2 ** (7 * length);
    if (byte < 0x80) return { value, next: from + length + 1 };
  }
  throw new Error("a number is too long");
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
