/** A secret whose value must be nowhere in an image. */
export interface Secret {
  /** How messages call it; never its value. */
  readonly name: string;
  readonly value: string;
}

/** What is searched for on behalf of one secret, or why nothing is. */
export type SearchWords =
  | { readonly texts: readonly string[] }
  /** Completes "it is not searched for: ...". */
  | { readonly why: string };

/** Fewer characters stand in every program by chance. */
const SHORTEST = 8;
/** ... unless they are mixed, as those of words are not. */
const SHORTEST_MIXED = 6;
/** A longer one is searched for by its parts, and by as much of its middle. */
const LONGEST = 1_024;
const SHORTEST_PART = 20;
const SHORTEST_KEY_LINE = 40;

/** Values that many take for a start; files that have nothing to do with the secret hold them. */
const WIDESPREAD = new Set([
  ...["password", "passw0rd", "password1", "changeme", "changeit", "change-me", "change_me"],
  ...["postgres", "postgresql", "localhost", "username", "undefined", "12345678", "123456789"],
  ...["1234567890", "00000000", "development", "production", "test1234", "testtest", "testing"],
  ...["disabled", "required", "optional", "internal", "external", "anonymous", "administrator"],
  ...["rabbitmq", "minioadmin", "placeholder", "redacted", "example", "abc123", "admin123"],
]);

/**
 * The texts to search for. Beside the whole value these are the parts that are secret by
 * themselves: the password of an address, the lines of a key, the tokens of a file of settings.
 */
export function searchWordsOf(value: string): SearchWords {
  const text = value.trim();
  if (text === "") return { why: "it is empty" };
  if (text.replace(PUBLIC, "").trim() === "") {
    return { why: "its value is a certificate or a public key, which anybody may know" };
  }
  if (WIDESPREAD.has(text.toLowerCase())) {
    return { why: "its value is a word that stands in many files" };
  }
  if (new Set(text).size < 4) return { why: "its value has fewer than four different characters" };
  const least = isMixed(text) ? SHORTEST_MIXED : SHORTEST;
  if (text.length < least) {
    return { why: `its value has fewer than ${least} characters, which stand in files by chance` };
  }
  return { texts: [...new Set([middleOf(text), ...partsOf(text)])] };
}

function isMixed(text: string): boolean {
  return /[a-z]/i.test(text) && /\d/.test(text);
}

/** Where a long value begins and ends, it is often alike to others of its kind. */
function middleOf(text: string): string {
  if (text.length <= LONGEST) return text;
  const from = Math.floor((text.length - LONGEST) / 2);
  return text.slice(from, from + LONGEST).toWellFormed();
}

/** What stands beside a secret in one file, and may be known to anybody. */
const PUBLIC = /-----BEGIN (?:[A-Z ]*CERTIFICATE|[A-Z ]*PUBLIC KEY)-----.*?-----END [A-Z ]+-----/gs;
const PUBLIC_LINE = /^["'\s]*[\w-]*(?:certificate|cert|public)[\w-]*["']?\s*[:=]/i;

function partsOf(text: string): string[] {
  const address = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:([^/\s@]+)@/i.exec(text)?.[1] ?? "";
  const password = isMixed(address) && address.length >= SHORTEST ? [address] : [];
  // A key within JSON has its line breaks written as `\n`; the first line of an OpenSSH key is the
  // same in all of one kind.
  const lines = text
    .replace(PUBLIC, "")
    .split(/\\n|[\r\n]+/)
    .map((line) => line.trim())
    .filter((line, at, all) => !PUBLIC_LINE.test(line) && !/BEGIN OPENSSH/.test(all[at - 1] ?? ""));
  if (lines.length === 1 && !/[\s"',;:={}]/.test(text)) return password;
  return [...password, ...keyLines(lines), ...lines.flatMap(tokensIn)];
}

function keyLines(lines: readonly string[]): string[] {
  return lines.filter((line) => {
    return line.length >= SHORTEST_KEY_LINE && /^[A-Za-z0-9+/=]+$/.test(line);
  });
}

/** Words that no person would have thought of: of all three kinds of sign, or long hexadecimal. */
function tokensIn(line: string): string[] {
  const words = line.match(/[A-Za-z0-9_+/=.-]+/g) ?? [];
  return words.flatMap((given) => {
    const word = given.replace(/^[A-Za-z_][A-Za-z0-9_.-]*=(?=.)/, "");
    if (word.length < SHORTEST_PART || /[/.]/.test(word.replace(/^[^/.]{20,}/, ""))) return [];
    const random = /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d/.test(word);
    const hexadecimal = /^[0-9a-f]{32,}$/i.test(word) && isMixed(word);
    return random || hexadecimal ? [word] : [];
  });
}
