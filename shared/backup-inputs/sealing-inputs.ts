import { choice, type Inputs, type OptionsOf, text, words } from "../action/index.ts";
import type { SigningSettings } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import type { EncryptionSettings, SealingSettings } from "../sealing/index.ts";

/** The inputs of actions that write backups: how they are made small, unreadable and undeniable. */
export const sealingInputs = {
  compression: choice(["zstd", "gzip", "none"], { default: "zstd" }),
  encryption: choice(["auto", "age", "openssl", "none"], { default: "auto" }),
  "encrypt-to": words({ accepts: "age recipients, age1..., by white space or commas" }),
  passphrase: text({ secret: true, accepts: "a passphrase to encrypt with" }),
  "signing-key": text(
    { secret: true, accepts: "a private key as PEM" },
    /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  ),
  "signing-passphrase": text({ secret: true, accepts: "that key's passphrase" }),
} satisfies Inputs;

export type SealingOptions = OptionsOf<typeof sealingInputs>;

/**
 * How what is written is sealed.
 *
 * @throws {UserError} where the inputs contradict each other.
 */
export function sealingSettings(
  options: Pick<SealingOptions, "encryption" | "encryptTo" | "passphrase"> &
    Partial<Pick<SealingOptions, "compression">>,
): SealingSettings {
  return { compression: options.compression ?? "zstd", encryption: encryptionOf(options) };
}

/** The key that signs the manifest; undefined where none is given. */
export function signingSettings(
  options: Pick<SealingOptions, "signingKey" | "signingPassphrase">,
): SigningSettings | undefined {
  const { signingKey: key, signingPassphrase: passphrase } = options;
  return key === undefined ? undefined : { key, passphrase };
}

function encryptionOf({
  encryption,
  encryptTo,
  passphrase,
}: Pick<SealingOptions, "encryption" | "encryptTo" | "passphrase">): EncryptionSettings {
  if (encryptTo !== undefined && passphrase !== undefined) {
    throw contradiction("Both encrypt-to and passphrase are given.", "Give one of them.");
  }
  switch (encryption) {
    case "none":
      if (encryptTo === undefined && passphrase === undefined) return { method: "none" };
      throw contradiction(
        "encryption is none, and a key to encrypt with is given.",
        "Leave encryption out, or the key.",
      );
    case "openssl":
      if (passphrase !== undefined) return { method: "openssl", passphrase };
      throw contradiction("OpenSSL's form is encrypted by a passphrase.", "Give passphrase.");
    case "age":
    case "auto":
      if (encryptTo !== undefined) return { method: "age", recipients: encryptTo };
      if (passphrase !== undefined) return { method: "age", passphrase };
      if (encryption === "auto") return { method: "none" };
      throw contradiction(
        "encryption is age, and there is nobody to encrypt to.",
        "Give encrypt-to, the recipients age1..., or passphrase.",
      );
  }
}

function contradiction(cause: string, remedy: string): UserError {
  return new UserError({
    title: "How to encrypt is not clear",
    cause,
    remedy: `${remedy} Nothing was read or written yet.`,
  });
}
