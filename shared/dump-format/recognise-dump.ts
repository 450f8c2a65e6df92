import type { Dump } from "./dump.ts";
import { type Recognised, recognised } from "./format.ts";
import { HEAD_BYTES, recogniseHead } from "./recognise.ts";
import { recogniseNames } from "./recognise-folder.ts";

/**
 * Tells what a dump is from its beginning, or from the names of its files.
 *
 * @throws whatever reading it throws.
 */
export async function recognise(dump: Dump, signal: AbortSignal): Promise<Recognised> {
  if (dump.folder) return recognised([], recogniseNames(dump.files.map((file) => file.name)));
  const [file] = dump.files;
  if (file === undefined) return recognised([], "empty");
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of await file.open(signal)) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes >= HEAD_BYTES) break;
  }
  return recogniseHead(Buffer.concat(parts).subarray(0, HEAD_BYTES));
}
