import { UserError } from "../failure/index.ts";
import type { Secrets } from "../secrets/index.ts";
import { type AgeKeys, ageDecryption, ageEncryption } from "./age.ts";
import { type Compression, compression, decompression, LEVELS } from "./compression.ts";
import { opensslDecryption, opensslEncryption, USUAL_ITERATIONS } from "./openssl.ts";
import type { Stage } from "./stage.ts";

export type Encryption = "none" | "age" | "openssl";

/** How what is stored is made small and unreadable. */
export interface SealingSettings {
  readonly compression: Compression;
  /** The method's usual one when left out. */
  readonly level?: number | undefined;
  readonly encryption: EncryptionSettings;
}

export type EncryptionSettings =
  | { readonly method: "none" }
  | { readonly method: "age"; readonly recipients: readonly string[] }
  | { readonly method: "age"; readonly passphrase: string }
  | {
      readonly method: "openssl";
      readonly passphrase: string;
      readonly iterations?: number | undefined;
    };

/** How one stored file was sealed. */
export interface SealTraits {
  readonly compression: Compression;
  readonly encryption: Encryption;
  /** The rounds that made OpenSSL's key. */
  readonly iterations?: number | undefined;
}

/** What unseals: secrets, all of them. */
export interface Keys {
  /** What age-keygen wrote: lines with AGE-SECRET-KEY-1..., comments among them. */
  readonly identities?: string | undefined;
  /** For age and for OpenSSL. */
  readonly passphrase?: string | undefined;
}

/** Seals streams, each on its own. */
export interface Sealer {
  traits(isCompressed: boolean): SealTraits;
  /** What the name of a sealed file ends with: `.zst.age`. */
  suffix(isCompressed: boolean): string;
  /** @param isCompressed whether the content is compressed already, and would only get larger. */
  stages(isCompressed: boolean): readonly Stage[];
}

/** Unseals streams. */
export interface Unsealer {
  /** Whether a key of the kind that it takes was given, if it takes any. */
  hasKeyFor(traits: SealTraits): boolean;
  /** @throws {UserError} where the key for it was not given, or is none. */
  stages(traits: SealTraits): Promise<readonly Stage[]>;
}

const SUFFIXES = { none: "", gzip: ".gz", zstd: ".zst", age: ".age", openssl: ".enc" } as const;

/**
 * Checks the settings, and hides their secrets.
 *
 * @throws {UserError} where a recipient is none, a passphrase is empty, or a level does not exist.
 */
export async function openSealer(settings: SealingSettings, secrets: Secrets): Promise<Sealer> {
  const { encryption, level } = settings;
  if (settings.compression !== "none" && level !== undefined)
    checkLevel(settings.compression, level);
  const cipher = await cipherOf(encryption, secrets);
  const methodFor = (isCompressed: boolean) => (isCompressed ? "none" : settings.compression);
  const iterations =
    encryption.method === "openssl" ? (encryption.iterations ?? USUAL_ITERATIONS) : undefined;
  return {
    traits: (isCompressed) => ({
      ...{ compression: methodFor(isCompressed), encryption: encryption.method },
      ...(iterations === undefined ? {} : { iterations }),
    }),
    suffix: (isCompressed) => SUFFIXES[methodFor(isCompressed)] + SUFFIXES[encryption.method],
    stages: (isCompressed) => [compression(methodFor(isCompressed), level), ...cipher],
  };
}

async function cipherOf(settings: EncryptionSettings, secrets: Secrets): Promise<Stage[]> {
  if (settings.method === "none") return [];
  if ("recipients" in settings) {
    if (settings.recipients.length === 0) throw noRecipients();
    return [await ageEncryption(settings)];
  }
  const passphrase = usable(settings.passphrase, secrets);
  if (settings.method === "age") return [await ageEncryption({ passphrase })];
  return [opensslEncryption(passphrase, settings.iterations ?? USUAL_ITERATIONS)];
}

/**
 * Takes the keys, and hides them.
 *
 * @throws {UserError} where an identity is none.
 */
export async function openUnsealer(keys: Keys, secrets: Secrets): Promise<Unsealer> {
  const { identities = "", passphrase } = keys;
  if (identities !== "") secrets.add(identities);
  const words = passphrase === undefined ? [] : [usable(passphrase, secrets)];
  const age: AgeKeys = { identities: identitiesIn(identities), passphrases: words };
  // Wrong ones are to show before anything is read.
  const ageStage = age.identities.length > 0 ? await ageDecryption(age) : undefined;
  return {
    hasKeyFor({ encryption }) {
      if (encryption === "none" || words.length > 0) return true;
      return encryption === "age" && ageStage !== undefined;
    },
    async stages(traits) {
      const unpack = decompression(traits.compression);
      if (traits.encryption === "none") return [unpack];
      if (traits.encryption === "age") return [ageStage ?? (await ageDecryption(age)), unpack];
      const [word] = words;
      if (word === undefined) throw noPassphrase();
      return [opensslDecryption(word, traits.iterations ?? USUAL_ITERATIONS), unpack];
    },
  };
}

/** The keys in what age-keygen wrote, whole; a file of another kind is one key, and refused as it. */
function identitiesIn(text: string): string[] {
  if (text.includes("-----BEGIN")) return [text.trim()];
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** A secret's passphrase: without the line end that came with it, as age and openssl read it too. */
function usable(passphrase: string, secrets: Secrets): string {
  const word = passphrase.replace(/[\r\n]+$/, "");
  if (word === "") {
    throw new UserError({
      title: "The passphrase is empty",
      cause: "A passphrase was asked for, and what was given is empty.",
      remedy: "Give it from a secret that exists: one that does not is an empty text.",
    });
  }
  secrets.add(word);
  return word;
}

function checkLevel(method: "gzip" | "zstd", level: number): void {
  const { lowest, highest } = LEVELS[method];
  if (Number.isInteger(level) && level >= lowest && level <= highest) return;
  throw new UserError({
    title: "No such level of compression",
    cause: `${method} has no level ${level}.`,
    remedy: `Take one of ${lowest} to ${highest}.`,
  });
}

function noRecipients(): UserError {
  return new UserError({
    title: "Nobody to encrypt for",
    cause: "Encryption with age was asked for, without a recipient and without a passphrase.",
    remedy: "Give the public key of whoever is to restore (age1...), or a passphrase.",
  });
}

function noPassphrase(): UserError {
  return new UserError({
    title: "A key is missing",
    cause: "It is encrypted with OpenSSL by a passphrase, and none was given to decrypt it.",
    remedy: "Give the passphrase, from a secret.",
  });
}
