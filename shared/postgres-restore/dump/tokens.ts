/** How quotes and characters are to be read. */
export interface Lexing {
  readonly escapes: boolean;
  readonly wide: boolean;
}

export interface Token {
  readonly kind:
    | "blank"
    | "comment"
    | "quoted"
    | "word"
    | "meta"
    | "open"
    | "close"
    | "semicolon"
    | "other";
  /** Undefined where its end is not at hand. */
  readonly end: number | undefined;
}

const BLANK = /[\s\uFEFF]+/y;
const MARK = "\u00ef\u00bb\u00bf";
const WORD = /[A-Za-z_\x80-\xff][\w$\x80-\xff]*/y;
const NUMBER = /[0-9][\w$\x80-\xff.]*/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$/y;
const TAG_BEGUN = /\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?$/y;
const WORD_CHARACTER = /[\w$\x80-\xff]/;

/** The end of the token that begins at a place of a statement. */
export function tokenEnd(text: string, at: number, lexing: Lexing): Token {
  const sign = text.charAt(at);
  switch (sign) {
    case "'":
      return { kind: "quoted", end: quoteEnd(text, at, lexing) };
    case '"':
      return { kind: "quoted", end: after(text, '"', at + 1) };
    case "(":
      return { kind: "open", end: at + 1 };
    case ")":
      return { kind: "close", end: at + 1 };
    case ";":
      return { kind: "semicolon", end: at + 1 };
    case "\\":
      return { kind: "meta", end: after(text, "\n", at) };
    case "-":
      return text.charAt(at + 1) === "-"
        ? { kind: "comment", end: after(text, "\n", at) }
        : { kind: "other", end: at + 1 };
    case "/":
      return text.charAt(at + 1) === "*"
        ? { kind: "comment", end: commentEnd(text, at) }
        : { kind: "other", end: at + 1 };
    case "$":
      return dollarToken(text, at);
    default:
      return plainToken(text, at, lexing);
  }
}

function plainToken(text: string, at: number, { wide }: Lexing): Token {
  if (wide && text.charCodeAt(at) >= 0x80) {
    return { kind: "other", end: at + 2 <= text.length ? at + 2 : undefined };
  }
  const blank = matchEnd(BLANK, text, at);
  if (blank !== undefined) return { kind: "blank", end: blank };
  if (text.startsWith(MARK, at)) return { kind: "blank", end: at + MARK.length };
  const number = matchEnd(NUMBER, text, at);
  if (number !== undefined) return { kind: "other", end: number };
  const word = matchEnd(wide ? /[A-Za-z_][\w$]*/y : WORD, text, at);
  return word === undefined ? { kind: "other", end: at + 1 } : { kind: "word", end: word };
}

/** E'…' and, before standard_conforming_strings, '…' know backslashes. */
function quoteEnd(text: string, at: number, { escapes, wide }: Lexing): number | undefined {
  const prefixed = /[eE]/.test(text.charAt(at - 1)) && !WORD_CHARACTER.test(text.charAt(at - 2));
  const backslashes = escapes || prefixed;
  if (!wide && !backslashes) return after(text, "'", at + 1);
  for (let place = at + 1; place < text.length; place += 1) {
    const sign = text.charAt(place);
    if (sign === "'") return place + 1;
    if ((sign === "\\" && backslashes) || (wide && text.charCodeAt(place) >= 0x80)) place += 1;
  }
  return undefined;
}

function commentEnd(text: string, at: number): number | undefined {
  const ends = /\/\*|\*\//g;
  ends.lastIndex = at;
  let depth = 0;
  for (let found = ends.exec(text); found !== null; found = ends.exec(text)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return ends.lastIndex;
  }
  return undefined;
}

function dollarToken(text: string, at: number): Token {
  const open = matchEnd(DOLLAR_TAG, text, at);
  if (open === undefined) {
    const begun = matchEnd(TAG_BEGUN, text, at) !== undefined;
    return { kind: "other", end: begun ? undefined : at + 1 };
  }
  return { kind: "quoted", end: after(text, text.slice(at, open), open) };
}

function after(text: string, sign: string, from: number): number | undefined {
  const found = text.indexOf(sign, from);
  return found < 0 ? undefined : found + sign.length;
}

function matchEnd(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
