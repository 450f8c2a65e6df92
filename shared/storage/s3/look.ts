import type { S3Client } from "./client.ts";
import { factsOf, type ObjectFacts } from "./object.ts";

/**
 * What is known of an object; undefined where it is not there.
 *
 * @throws {UserError} when S3 refuses.
 */
export async function look(
  client: S3Client,
  key: string,
  signal: AbortSignal,
): Promise<ObjectFacts | undefined> {
  const answer = await client.ask({
    ...{ operation: "look", method: "HEAD", key, signal, expected: [404] },
    headers: { "x-amz-checksum-mode": "ENABLED" },
  });
  return answer.status === 404 ? undefined : factsOf(key, answer.headers);
}
