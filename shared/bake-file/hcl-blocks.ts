/** A block of an HCL file: `target "api" { ... }`. */
export interface HclBlock {
  readonly type: string;
  readonly labels: readonly string[];
  /** Counted from 1. */
  readonly line: number;
  /** Names of its own attributes and blocks. */
  readonly keys: readonly { readonly name: string; readonly line: number }[];
}

interface Token {
  readonly kind: "word" | "text" | "mark" | "end";
  readonly value: string;
  readonly line: number;
}

/** Comments, heredocs, strings, words, ends of lines, and every other character by itself. */
const TOKENS =
  /\/\*[\s\S]*?\*\/|(?:#|\/\/)[^\n]*|<<-?([A-Za-z_]\w*)[^\n]*\n(?:[\s\S]*?\n)??[ \t]*\1(?!\w)|"|[A-Za-z_][\w-]*|\n|[^\s]/g;

/**
 * The blocks of a file that buildx could read, with the names of what is in them. Values are
 * skipped, not understood.
 */
export function hclBlocks(text: string): readonly HclBlock[] {
  const tokens = tokensOf(text);
  const blocks: HclBlock[] = [];
  let at = 0;
  while (at < tokens.length) {
    const head = headAt(tokens, at);
    if (head === undefined) {
      at = endOfStatement(tokens, at);
      continue;
    }
    const { keys, end } = bodyFrom(tokens, head.end);
    blocks.push({ type: head.type, labels: head.labels, line: head.line, keys });
    at = end;
  }
  return blocks;
}

/** A word, any labels, and an opening brace. */
function headAt(tokens: readonly Token[], from: number) {
  const first = tokens[from];
  if (first?.kind !== "word") return undefined;
  const labels: string[] = [];
  let at = from + 1;
  for (let next = tokens[at]; next?.kind === "text" || next?.kind === "word"; next = tokens[at]) {
    labels.push(next.value);
    at += 1;
  }
  if (tokens[at]?.value !== "{") return undefined;
  return { type: first.value, labels, line: first.line, end: at + 1 };
}

function bodyFrom(tokens: readonly Token[], from: number) {
  const keys: { name: string; line: number }[] = [];
  let at = from;
  for (let token = tokens[at]; token !== undefined && token.value !== "}"; token = tokens[at]) {
    if (token.kind === "word") keys.push({ name: token.value, line: token.line });
    at = token.kind === "end" ? at + 1 : endOfStatement(tokens, at);
  }
  return { keys, end: at + 1 };
}

const OPENING = "{[(";
const CLOSING = "}])";

/** The next line that is within no bracket, or the bracket that closes what the statement is in. */
function endOfStatement(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at += 1) {
    const { kind, value } = tokens[at] as Token;
    if (kind === "end" && depth === 0) return at + 1;
    if (kind !== "mark") continue;
    if (OPENING.includes(value)) depth += 1;
    if (CLOSING.includes(value)) {
      if (depth === 0) return at === from ? at + 1 : at;
      depth -= 1;
    }
  }
  return tokens.length;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKENS);
  let line = 1;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    let [value] = found;
    if (value === '"') {
      const end = endOfText(text, found.index + 1);
      value = text.slice(found.index, end);
      pattern.lastIndex = end;
      tokens.push({ kind: "text", value: value.slice(1, -1), line });
    } else if (value === "\n") tokens.push({ kind: "end", value, line });
    else if (/^[A-Za-z_]/.test(value)) tokens.push({ kind: "word", value, line });
    else if (!/^(#|\/\/|\/\*|<<)/.test(value)) tokens.push({ kind: "mark", value, line });
    line += value.split("\n").length - 1;
  }
  return tokens;
}

/** Behind the quotation mark that ends a text; templates in it may hold texts of their own. */
function endOfText(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
    else if (/^[$%]\{/.test(text.slice(at, at + 2)) && text[at - 1] !== text[at]) {
      at = endOfTemplate(text, at + 2) - 1;
    }
  }
  return text.length;
}

function endOfTemplate(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '"') at = endOfText(text, at + 1) - 1;
    else if (text[at] === "{") depth += 1;
    else if (text[at] === "}") depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}
