import { describe } from "../../failure/index.ts";
import type { UploadContext } from "./task.ts";
import { allIn, parseXml, textIn } from "./xml.ts";

/** No upload of ours takes longer: a job on a machine of one's own ends after five days. */
const STALE_MS = 5 * 86_400_000;
/**
 * Takes back unfinished uploads that killed runs left below a prefix. Best effort: whoever may not
 * see them may still write.
 */
export async function sweepUploads(
  { client, world, place }: UploadContext,
  prefix: string,
  signal: AbortSignal,
): Promise<void> {
  const query = { uploads: "", prefix, "encoding-type": "url" };
  try {
    const request = { operation: "list-uploads", method: "GET", key: "", query, signal } as const;
    const answer = await client.ask({ ...request, retries: 1 });
    for (const entry of allIn(parseXml(answer.text.trim()), "Upload")) {
      const began = Date.parse(textIn(entry, "Initiated"));
      if (Number.isNaN(began) || world.clock.now() - began < STALE_MS) continue;
      const key = decodeURIComponent(textIn(entry, "Key").replaceAll("+", " "));
      const uploadId = textIn(entry, "UploadId");
      if (!key.startsWith(prefix) || uploadId === "") continue;
      const abort = { operation: "abort", method: "DELETE", key, query: { uploadId } } as const;
      await client.ask({ ...abort, signal, expected: [404], retries: 1 });
      world.log.info(
        `Took back the unfinished upload of ${key} in ${place} from ${new Date(began).toISOString()}`,
      );
    }
  } catch (error) {
    signal.throwIfAborted();
    world.log.debug(`Unfinished uploads in ${place} were not looked for: ${describe(error)}`);
  }
}
