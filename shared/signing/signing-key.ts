import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandFailed } from "../process/index.ts";
import { Cosign, type SigningExecution } from "./cosign.ts";
import { signingFailure } from "./signing-failure.ts";

/** A key to sign with: itself in PEM, the path of its file, or an address in a KMS. */
export interface KeySettings {
  readonly key: string;
  readonly password: string | undefined;
}

/** A key that was opened once, and how cosign is told of it. */
export interface SigningKey {
  readonly cosign: Cosign;
  /** As cosign's flag takes it. */
  readonly reference: string;
  /** The file of the public key, to verify with. */
  readonly publicFile: string;
}

/** The variable by which cosign gets a key that is in no file. */
const VARIABLE = "SEAWORTHY_COSIGN_KEY";

/**
 * Opens the key by asking it for its public half, so that a wrong password or address shows before
 * anything is signed.
 *
 * @throws {UserError} when it cannot be used.
 */
export async function openKey(
  { key, password }: KeySettings,
  execution: SigningExecution,
): Promise<SigningKey> {
  const isItself = key.includes("-----BEGIN");
  if (isItself) execution.secrets.add(key);
  if (password !== undefined) execution.secrets.add(password);
  const cosign = new Cosign(execution, {
    // Left out, cosign would ask for it.
    COSIGN_PASSWORD: password ?? "",
    ...(isItself ? { [VARIABLE]: key } : {}),
  });
  const reference = isItself ? `env://${VARIABLE}` : key.trim();
  const publicFile = join(execution.folder, "cosign.pub");
  try {
    const { stdout } = await cosign.run(["public-key", "--key", reference]);
    await writeFile(publicFile, stdout);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    execution.signal.throwIfAborted();
    throw signingFailure("key", "", error);
  }
  return { cosign, reference, publicFile };
}
