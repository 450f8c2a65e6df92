/** A text's bytes as they may stand in a file, and what that spelling is called. */
export interface Spelling {
  readonly how: string;
  readonly bytes: Buffer;
}

/** Shorter than this, base64 stands everywhere by chance. */
const SHORTEST_BASE64 = 8;
const BASE64_BITS = 6;

/**
 * The ways in which a text may stand in a file, an image's configuration or its papers: as it is,
 * within JSON, a URL, a form or HTML, in hexadecimal, in UTF-16, and in base64, also as a part of
 * something longer. Each only once.
 */
export function spellingsOf(text: string): readonly Spelling[] {
  const bytes = Buffer.from(text);
  const given: [string, Buffer | string][] = [
    ["as it is", bytes],
    ...json(text).map((each): [string, string] => ["as in JSON", each]),
    ...url(text).map((each): [string, string] => ["as in a URL", each]),
    ["as in HTML or XML", text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)],
    ["in UTF-16", Buffer.from(text, "utf16le")],
    ...base64(bytes).map((each): [string, string] => ["in base64", each]),
    ["in hexadecimal", bytes.toString("hex")],
    ["in hexadecimal", bytes.toString("hex").toUpperCase()],
  ];
  const found = new Map<string, Spelling>();
  for (const [how, spelt] of given) {
    const buffer = typeof spelt === "string" ? Buffer.from(spelt) : spelt;
    const key = buffer.toString("latin1");
    if (!found.has(key)) found.set(key, { how, bytes: buffer });
  }
  return [...found.values()];
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** As most write it, and as Go does, which BuildKit's papers are made with. */
function json(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const go = plain.replace(
    /[<>&]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return [plain, go, plain.replaceAll("/", "\\/")];
}

/** Which signs are written as they are differs from program to program. */
function url(text: string): string[] {
  const encoded = encodeURIComponent(text.toWellFormed());
  const strict = encoded.replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  // Forms leave fewer signs as they are.
  const form = new URLSearchParams({ "": text.toWellFormed() }).toString().slice(1);
  const all = [
    ...[encoded, strict, strict.replaceAll("%20", "+"), strict.replaceAll("%2F", "/")],
    ...[form, form.replaceAll("+", "%20")],
  ];
  const small = (each: string) => each.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [...all, ...all.map(small)];
}

/**
 * What base64 makes of the bytes depends on where they begin within the whole: three ways, each
 * without the signs at its ends that tell of neighbours too.
 */
function base64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes, Buffer.alloc(2)]);
    const first = Math.ceil((before * 8) / BASE64_BITS);
    const end = Math.floor(((before + bytes.length) * 8) / BASE64_BITS);
    if (end - first < SHORTEST_BASE64) return [];
    const standard = padded.toString("base64").slice(first, end);
    return [standard, padded.toString("base64url").slice(first, end)].flatMap(pieces);
  });
}

const LINE = 76;

/**
 * Base64 is often broken into lines of 64 or 76 signs, anywhere in the text. One that is long
 * enough is searched by its quarters too, of which no line break can hit all.
 */
function pieces(text: string): string[] {
  if (text.length < LINE / 2 || text.length > 4 * LINE) return [text];
  const size = Math.floor(text.length / 4);
  if (size < 12) return [text, text.slice(0, Math.floor(text.length / 2)), text.slice(-size * 2)];
  return [text, ...[0, 1, 2, 3].map((index) => text.slice(index * size, (index + 1) * size))];
}
