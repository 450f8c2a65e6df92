import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { BrokenSeal } from "./broken-seal.ts";
import { Input } from "./input.ts";
import { piped, type Stage } from "./stage.ts";

/** How many rounds make the key, where nothing else is said: what OWASP advises for SHA-256. */
export const USUAL_ITERATIONS = 600_000;

/** What `openssl enc -salt` writes before the salt. */
const MAGIC = Buffer.from("Salted__");
const SALT = 8;
const KEY = 32;
const VECTOR = 16;
const CIPHER = "aes-256-cbc";
const deriveKey = promisify(pbkdf2);

/**
 * Encrypts streams as `openssl enc -aes-256-cbc -pbkdf2 -iter ITERATIONS -salt` does. Nothing in
 * that format notices a change: it is for use beside checksums only.
 */
export function opensslEncryption(passphrase: string, iterations: number): Stage {
  return async function* encrypted(content) {
    const salt = randomBytes(SALT);
    const { key, vector } = await keyOf(passphrase, salt, iterations);
    yield Buffer.concat([MAGIC, salt]);
    yield* piped(content, createCipheriv(CIPHER, key, vector), (error) => error);
  };
}

/**
 * Decrypts what `openssl enc` wrote with the same settings.
 *
 * @throws {BrokenSeal} from the stage, where it does not decrypt: by a wrong passphrase or
 *   by damage, which this format cannot tell apart, and does not always notice.
 */
export function opensslDecryption(passphrase: string, iterations: number): Stage {
  return async function* decrypted(content) {
    const input = new Input(content, () => damage("ends before its first block"));
    const head = Buffer.from(await input.peek(MAGIC.length + SALT));
    if (!head.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw damage("does not begin as what `openssl enc -salt` writes");
    }
    for await (const _ of input.take(head.length));
    const { key, vector } = await keyOf(passphrase, head.subarray(MAGIC.length), iterations);
    const decipher = createDecipheriv(CIPHER, key, vector);
    yield* piped(input.rest(), decipher, () => damage("does not decrypt with the passphrase"));
  };
}

async function keyOf(passphrase: string, salt: Buffer, iterations: number) {
  const both = await deriveKey(passphrase, salt, iterations, KEY + VECTOR, "sha256");
  return { key: both.subarray(0, KEY), vector: both.subarray(KEY) };
}

function damage(what: string): BrokenSeal {
  return new BrokenSeal("encryption", what);
}
