import { createCipheriv, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { describe, UserError } from "../failure/index.ts";
import { isArmored, withoutArmor } from "./age-armor.ts";
import { decryptPayload, encryptPayload } from "./age-stream.ts";
import { BrokenSeal } from "./broken-seal.ts";
import { Input } from "./input.ts";
import type { Stage } from "./stage.ts";

/** For whom a file is encrypted: keys' public halves, or whoever knows a passphrase. */
export type AgeRecipients =
  | { readonly recipients: readonly string[] }
  | { readonly passphrase: string };

/** What opens a file: keys' secret halves, passphrases. */
export interface AgeKeys {
  readonly identities: readonly string[];
  readonly passphrases: readonly string[];
}

/**
 * 2^16 rounds use 64 MB of memory, so that an action stays within its own; age itself takes 2^18,
 * and reads less. A passphrase of a CI secret is no word that somebody has to remember.
 */
const WORK_FACTOR = 16;
/** A header with some hundred recipients; more is no header. */
const LONGEST_HEADER = 256 * 1024;
const LONGEST_LINE = 64 * 1024;
const deriveKey = promisify<string, Buffer, number, object, Buffer>(scrypt);

/**
 * Encrypts streams as `age` does. The headers are made by age's own library, the payload by
 * Node.js, which is nine times faster at it.
 *
 * @throws {UserError} where a recipient is none.
 */
export async function ageEncryption(to: AgeRecipients): Promise<Stage> {
  const recipients = "recipients" in to ? to.recipients : [];
  // Wrong ones are to show before anything is read.
  if (!("passphrase" in to)) await checkRecipients(recipients);
  return async function* encrypted(content) {
    const { header, fileKey } = await newHeader(to);
    yield header;
    yield* encryptPayload(fileKey, content);
  };
}

async function checkRecipients(recipients: readonly string[]): Promise<void> {
  const { Encrypter } = await import("age-encryption");
  for (const recipient of recipients) {
    if (/^(ssh-|ecdsa-|sk-)/.test(recipient)) throw sshKey("recipient");
    if (/^AGE-SECRET-KEY-/i.test(recipient)) throw secretAsRecipient();
    try {
      new Encrypter().addRecipient(recipient);
    } catch {
      throw new UserError({
        title: "No recipient of age",
        cause: `"${recipient.slice(0, 80)}" is not an age public key: such a key begins with age1 and is all there, letter by letter.`,
        remedy: "Give the line that age-keygen printed behind `Public key:`.",
      });
    }
  }
}

async function newHeader(to: AgeRecipients): Promise<{ header: Buffer; fileKey: Uint8Array }> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    async wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return "passphrase" in to ? [await wrapByPassphrase(to.passphrase, key)] : [];
    },
  });
  if ("recipients" in to) for (const each of to.recipients) encrypter.addRecipient(each);
  // A whole file of no bytes: of it the header is taken.
  const file = Buffer.from(await encrypter.encrypt(new Uint8Array(0)));
  const header = Buffer.from(file.subarray(0, file.indexOf("\n--- ") + 5 + 43 + 1));
  return { header, fileKey: fileKey as Uint8Array };
}

/** By the specification's section "scrypt recipient stanza"; by Node.js, aside from its main thread. */
async function wrapByPassphrase(passphrase: string, fileKey: Uint8Array) {
  const { Stanza } = await import("age-encryption");
  const salt = randomBytes(16);
  const labelled = Buffer.concat([Buffer.from("age-encryption.org/v1/scrypt"), salt]);
  const cost = { N: 2 ** WORK_FACTOR, r: 8, p: 1, maxmem: 2 ** WORK_FACTOR * 8 * 128 * 2 };
  const key = await deriveKey(passphrase, labelled, 32, cost);
  const cipher = createCipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  const saltText = salt.toString("base64").replace(/=+$/, "");
  return new Stanza(["scrypt", saltText, String(WORK_FACTOR)], body);
}

/**
 * Decrypts streams of `age`, armored ones too.
 *
 * @throws {UserError} at once where an identity is none; from the stage, where none of the keys
 *   fits.
 * @throws {BrokenSeal} from the stage, where the file is not what was encrypted.
 */
export async function ageDecryption(keys: AgeKeys): Promise<Stage> {
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  for (const identity of keys.identities) addIdentity(decrypter, identity);
  for (const passphrase of keys.passphrases) decrypter.addPassphrase(passphrase);
  return async function* decrypted(content) {
    const tooShort = () => new BrokenSeal("encryption", "ends in the middle of its age header");
    let input = new Input(content, tooShort);
    if (await input.atEnd())
      throw new BrokenSeal("encryption", "is empty, where an age file should be");
    if (isArmored(await input.peek(1))) {
      input = new Input(withoutArmor(input.rest()), tooShort);
    }
    const header = await readHeader(input);
    yield* decryptPayload(await fileKeyOf(header, decrypter, keys), input);
  };
}

type Decrypter = InstanceType<typeof import("age-encryption").Decrypter>;

function addIdentity(decrypter: Decrypter, identity: string): void {
  if (/-----BEGIN (OPENSSH|RSA|EC) PRIVATE KEY-----/.test(identity)) throw sshKey("identity");
  if (/^age1/.test(identity)) throw publicAsIdentity();
  try {
    decrypter.addIdentity(identity);
  } catch {
    throw new UserError({
      title: "No identity of age",
      cause:
        "One of the keys to decrypt with is not an age identity: it begins with AGE-SECRET-KEY-1 and is all there, letter by letter.",
      remedy: "Give what age-keygen wrote, the whole file or its last line, as a secret.",
    });
  }
}

async function readHeader(input: Input): Promise<Buffer> {
  const lines: string[] = [];
  let length = 0;
  while (length < LONGEST_HEADER) {
    const line = await input.line(LONGEST_LINE);
    if (line === undefined) break;
    if (lines.length === 0 && line !== "age-encryption.org/v1") break;
    lines.push(`${line}\n`);
    length += line.length + 1;
    if (line.startsWith("---")) return Buffer.from(lines.join(""), "latin1");
  }
  throw new BrokenSeal("encryption", "does not begin with the header of an age file");
}

async function fileKeyOf(header: Buffer, decrypter: Decrypter, keys: AgeKeys): Promise<Uint8Array> {
  try {
    const fileKey = await decrypter.decryptHeader(header);
    if (fileKey.length === 16) return fileKey;
  } catch (error) {
    const message = describe(error);
    if (message.includes("no identity matched")) throw noKeyFits(header, keys);
    throw new BrokenSeal("encryption", `has a broken age header (${message})`);
  }
  throw new BrokenSeal("encryption", "has a broken age header (a file key of the wrong length)");
}

function noKeyFits(header: Buffer, keys: AgeKeys): UserError {
  const isPassphrase = header.includes("\n-> scrypt ");
  const isSsh = /\n-> ssh-/.test(header.toString("latin1"));
  const has = isPassphrase ? keys.passphrases.length > 0 : keys.identities.length > 0;
  const wanted = isPassphrase ? "passphrase" : "identity";
  if (isSsh && !has) return sshKey("recipient");
  if (!has) {
    return new UserError({
      title: "A key is missing",
      cause: `It is encrypted with age ${isPassphrase ? "by a passphrase" : "to a recipient's key"}, and no ${wanted} was given to decrypt it.`,
      remedy: `Give the ${wanted}, from a secret.`,
    });
  }
  return new UserError({
    title: isPassphrase ? "The passphrase is wrong" : "The key does not fit",
    cause: isPassphrase
      ? "The passphrase that was given does not open the age header."
      : "None of the identities that were given opens the age header.",
    remedy: `Give the ${wanted} that it was encrypted ${isPassphrase ? "with" : "to"}; a changed one does not open what was written before.`,
  });
}

function sshKey(role: "recipient" | "identity"): UserError {
  return new UserError({
    title: "SSH keys are not taken",
    cause: `The ${role} is an SSH key. They sign in people, are changed with people, and hide which file belongs to which key; age itself advises keys of its own for automation.`,
    remedy:
      "Make a key with age-keygen: its public half (age1...) encrypts, its secret half (AGE-SECRET-KEY-1...) decrypts.",
  });
}

function secretAsRecipient(): UserError {
  return new UserError({
    title: "A secret key as recipient",
    cause: "A recipient begins with AGE-SECRET-KEY-: that is the half that decrypts.",
    remedy:
      "Give the public half (age1...), which `age-keygen -y` prints; keep the secret half where only restores reach it.",
  });
}

function publicAsIdentity(): UserError {
  return new UserError({
    title: "A public key as identity",
    cause: "A key to decrypt with begins with age1: that is the half that encrypts.",
    remedy: "Give the secret half (AGE-SECRET-KEY-1...), from a secret.",
  });
}
