import { BrokenSeal } from "./broken-seal.ts";
import { Input } from "./input.ts";

const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const END = "-----END AGE ENCRYPTED FILE-----";
/** Of the text between the two, in characters. */
const LINE = 64;
/** Room for blanks around a line, which are allowed before the beginning and after the end. */
const LONGEST = 1024;

/** Whether an age file whose first byte is this one is armored: no other begins with a dash or blank. */
export function isArmored(first: Buffer): boolean {
  return /^[\s-]/.test(first.toString("latin1"));
}

/**
 * The bytes of an age file written as text, by the strict rules of its specification.
 *
 * @throws {BrokenSeal} where the text is not by those rules.
 */
export async function* withoutArmor(text: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const lines = new Input(text, () => damage("ends too early"));
  await expectBeginning(lines);
  let isShort = false;
  for (;;) {
    const line = await nextLine(lines);
    if (line === undefined) throw damage("has no last line");
    if (line === END) break;
    if (isShort || line.length === 0 || line.length > LINE) throw damage("has lines of odd length");
    isShort = line.length < LINE;
    yield decoded(line);
  }
  for await (const chunk of lines.rest()) {
    if (chunk.toString("latin1").trim() !== "") throw damage("goes on behind its last line");
  }
}

async function expectBeginning(lines: Input): Promise<void> {
  for (;;) {
    const line = await nextLine(lines);
    if (line === undefined) throw damage("does not begin with its first line");
    if (line.trim() === BEGIN) return;
    if (line.trim() !== "") throw damage("does not begin with its first line");
  }
}

async function nextLine(lines: Input): Promise<string | undefined> {
  const line = await lines.line(LONGEST);
  if (line !== undefined) return line.endsWith("\r") ? line.slice(0, -1) : line;
  // The last line may lack its line feed.
  let rest = "";
  for await (const chunk of lines.rest()) {
    rest += chunk.toString("latin1");
    if (rest.length > LONGEST) break;
  }
  return rest.trim() === END ? END : undefined;
}

function decoded(line: string): Buffer {
  const bytes = Buffer.from(line, "base64");
  // Node.js overlooks what is no base64; written back, it would not be the same.
  if (bytes.toString("base64") !== line) throw damage("is no sound base64");
  return bytes;
}

function damage(what: string): BrokenSeal {
  return new BrokenSeal("encryption", `is armored, and its armor ${what}`);
}
