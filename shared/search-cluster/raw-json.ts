const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** A value in a text of JSON: from its first byte to behind its last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * The members of the object that begins at a place, each value as it stands there: numbers that
 * JavaScript could not hold, and the spaces of whoever wrote it, included.
 *
 * @throws {SyntaxError} where the text ends too early or is no object.
 */
export function* membersAt(text: Buffer, start: number): Generator<[name: string, value: Span]> {
  let at = skipSpace(text, start);
  if (text[at] !== OPEN_OBJECT) throw new SyntaxError(`no object at byte ${at}`);
  at = skipSpace(text, at + 1);
  while (text[at] !== CLOSE_OBJECT) {
    const nameEnd = endOfString(text, at);
    const name = JSON.parse(text.toString("utf8", at, nameEnd)) as string;
    at = skipSpace(text, nameEnd);
    if (text[at] !== COLON) throw new SyntaxError(`no colon at byte ${at}`);
    const from = skipSpace(text, at + 1);
    const to = endOfValue(text, from);
    yield [name, { from, to }];
    at = skipSpace(text, to);
    if (text[at] === COMMA) at = skipSpace(text, at + 1);
    else if (text[at] !== CLOSE_OBJECT) throw new SyntaxError(`no comma at byte ${at}`);
  }
}

/** The elements of the array that begins at a place. */
export function* elementsAt(text: Buffer, start: number): Generator<Span> {
  let at = skipSpace(text, start);
  if (text[at] !== OPEN_ARRAY) throw new SyntaxError(`no array at byte ${at}`);
  at = skipSpace(text, at + 1);
  while (text[at] !== CLOSE_ARRAY) {
    const to = endOfValue(text, at);
    yield { from: at, to };
    at = skipSpace(text, to);
    if (text[at] === COMMA) at = skipSpace(text, at + 1);
    else if (text[at] !== CLOSE_ARRAY) throw new SyntaxError(`no comma at byte ${at}`);
  }
}

function skipSpace(text: Buffer, start: number): number {
  let at = start;
  for (; at < text.length; at += 1) {
    const byte = text[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
  }
  throw new SyntaxError("the text ends too early");
}

function endOfString(text: Buffer, start: number): number {
  if (text[start] !== QUOTE) throw new SyntaxError(`no string at byte ${start}`);
  for (let at = text.indexOf(QUOTE, start + 1); at !== -1; at = text.indexOf(QUOTE, at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  throw new SyntaxError("the text ends in a string");
}

function endOfValue(text: Buffer, start: number): number {
  const first = text[start];
  if (first === QUOTE) return endOfString(text, start);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return endOfNested(text, start);
  let at = start;
  for (; at < text.length; at += 1) {
    const byte = text[at];
    if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) break;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) break;
  }
  if (at === start) throw new SyntaxError(`no value at byte ${start}`);
  return at;
}

function endOfNested(text: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const byte = text[at];
    if (byte === QUOTE) at = endOfString(text, at) - 1;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  throw new SyntaxError("the text ends too early");
}
