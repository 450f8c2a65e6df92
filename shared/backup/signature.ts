import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";
import { describe, UserError } from "../failure/index.ts";
import type { Secrets } from "../secrets/index.ts";

/** A private key as PEM, and the passphrase of one that is encrypted. */
export interface SigningSettings {
  readonly key: string;
  readonly passphrase?: string | undefined;
}

/** Signs what says how a backup was made, or what a verification found. */
export interface Signer {
  /** Over the SHA-256 of the bytes with ECDSA (DER) and RSA; over the bytes with Ed25519. */
  sign(bytes: Buffer): Buffer;
}

/**
 * Opens a key to sign with, and hides it. What it signs, `openssl dgst -sha256 -verify` checks;
 * with Ed25519, `openssl pkeyutl -verify -rawin`; with both, `cosign verify-blob --key`.
 *
 * @throws {UserError} where it is none, its passphrase is wrong, or nobody should sign with it.
 */
export function openSigner(settings: SigningSettings, secrets: Secrets): Signer {
  secrets.add(settings.key);
  if (settings.passphrase) secrets.add(settings.passphrase);
  const key = privateKey(settings);
  const digest = digestFor(key);
  return { sign: (bytes) => signBytes(digest, bytes, key) };
}

/** Whether a signature is that of the bytes, by the key's owner. */
export interface Verifier {
  verify(bytes: Buffer, signature: Buffer): boolean;
}

/**
 * Opens a public key, as PEM.
 *
 * @throws {UserError} where it is none.
 */
export function openVerifier(pem: string): Verifier {
  if (/PRIVATE KEY-----/.test(pem)) {
    throw new UserError({
      title: "A private key to verify with",
      cause: "What was given to verify signatures with is the private key.",
      remedy: "Give the public one, which `openssl pkey -in key.pem -pubout` prints.",
    });
  }
  try {
    const key = createPublicKey(pem);
    const digest = digestFor(key);
    return { verify: (bytes, signature) => verifyBytes(digest, bytes, key, signature) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError({
      title: "No public key",
      cause: `The key to verify signatures with cannot be read (${describe(error)}).`,
      remedy: "Give the public key as PEM: the lines from BEGIN PUBLIC KEY to END PUBLIC KEY.",
    });
  }
}

function privateKey({ key, passphrase }: SigningSettings): KeyObject {
  if (key.includes("SIGSTORE PRIVATE KEY")) throw cosignKey();
  const isEncrypted = /ENCRYPTED/.test(key);
  if (isEncrypted && !passphrase) {
    throw new UserError({
      title: "The signing key's passphrase is missing",
      cause: "The key to sign with is encrypted, and no passphrase was given.",
      remedy: "Give the passphrase, from a secret.",
    });
  }
  try {
    return createPrivateKey(passphrase ? { key, passphrase } : { key });
  } catch {
    // OpenSSL's words may hold what it read; whether the passphrase fits is all that it can tell.
    throw new UserError({
      title: "The signing key cannot be read",
      cause: isEncrypted
        ? "The passphrase does not open the key to sign with, or the key is not whole."
        : "The key to sign with is no private key in PEM, or is not whole.",
      remedy:
        "Give the whole key, all lines from BEGIN to END, as a secret; `openssl ecparam -name prime256v1 -genkey -noout` makes one.",
    });
  }
}

function digestFor(key: KeyObject): "sha256" | null {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "ed25519") return null;
  if (type === "ec" && details?.namedCurve === "prime256v1") return "sha256";
  if (type === "rsa" && (details?.modulusLength ?? 0) >= 2048) return "sha256";
  throw new UserError({
    title: "A key that is not taken for signatures",
    cause: `The key is ${[type, details?.namedCurve ?? details?.modulusLength].filter(Boolean).join(" ")}.`,
    remedy: "Use ECDSA with P-256, Ed25519, or RSA with 2048 bits or more.",
  });
}

function cosignKey(): UserError {
  return new UserError({
    title: "The signing key is in cosign's own format",
    cause: "cosign encrypts its keys in a way that only cosign reads.",
    remedy:
      "Make a key with `openssl ecparam -name prime256v1 -genkey -noout`; cosign verify-blob checks its signatures with the public half.",
  });
}
