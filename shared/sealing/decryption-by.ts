import type { Secrets } from "../secrets/index.ts";
import { type Keys, openUnsealer } from "./seal.ts";

/** Opens the encryption around files that other tools wrote. */
export type Decryption = (
  layer: "age" | "openssl",
  content: AsyncIterable<Buffer>,
) => AsyncIterable<Buffer>;

/**
 * How keys open encryptions around files of other tools.
 *
 * @throws {UserError} where a key is none.
 */
export async function decryptionBy(keys: Keys, secrets: Secrets): Promise<Decryption> {
  const unsealer = await openUnsealer(keys, secrets);
  return async function* decrypted(layer, content) {
    const stages = await unsealer.stages({ compression: "none", encryption: layer });
    let bytes = content;
    for (const stage of stages) bytes = stage(bytes);
    yield* bytes;
  };
}
