/** A block that begins a member. */
export interface TarHeader {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly mode: number;
  readonly modified: number;
  readonly target: string;
  readonly offset: number;
}

/** Reads a header; gives what is wrong with it in words where it is none. */
export function tarHeaderOf(block: Buffer, offset: number): TarHeader | string {
  const written = numberIn(block, 148, 8);
  let sum = 8 * 32;
  for (let at = 0; at < block.length; at++) {
    if (at < 148 || at >= 156) sum += block[at] ?? 0;
  }
  if (written !== sum)
    return `its checksum is ${written ?? "no number"}, and its bytes make ${sum}`;
  const bytes = numberIn(block, 124, 12);
  if (bytes === undefined) return "its size is no number";
  const posix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = posix ? textIn(block, 345, 155) : "";
  const name = textIn(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block[156] ?? 0),
    bytes,
    mode: numberIn(block, 100, 8) ?? 0,
    modified: numberIn(block, 136, 12) ?? 0,
    target: textIn(block, 157, 100),
    offset,
  };
}

/** What an extended header or a long name says of the member behind it. */
export function attributesIn(type: string, text: string): Record<string, string> {
  if (type === "L") return { path: text.replace(/\0.*$/s, "") };
  if (type === "K") return { linkpath: text.replace(/\0.*$/s, "") };
  const found: Record<string, string> = {};
  // Each record is its own length in bytes, a space, key=value and a line break.
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    const length = Number.parseInt(bytes.toString("latin1", 0, 12), 10);
    if (!(length > 3) || length > bytes.length) break;
    const record = bytes.toString("utf8", 0, length).replace(/^\d+ /, "").replace(/\n$/, "");
    const equals = record.indexOf("=");
    if (equals > 0) found[record.slice(0, equals)] = record.slice(equals + 1);
    bytes = bytes.subarray(length);
  }
  return found;
}

function textIn(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

/** Octal digits, or GNU's numbers of base 256 for what octal cannot hold. */
function numberIn(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = first & 0x7f;
    for (let at = start + 1; at < start + length; at++) value = value * 256 + (block[at] ?? 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = textIn(block, start, length).trim();
  if (text === "") return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}
