import type { ExamineOptions } from "../../shared/dump-format/index.ts";
import { openUnsealer } from "../../shared/sealing/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/** Opens the encryption around files of other tools, by the keys that the inputs give. */
export async function decryptionOf(
  { identity: identities, passphrase }: Options,
  { secrets }: World,
): Promise<NonNullable<ExamineOptions["decrypt"]>> {
  const unsealer = await openUnsealer({ identities, passphrase }, secrets);
  return async function* decrypted(layer, content) {
    const stages = await unsealer.stages({ compression: "none", encryption: layer });
    let bytes = content;
    for (const stage of stages) bytes = stage(bytes);
    yield* bytes;
  };
}
