import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

const LONGEST_LINE = 64 * 1024;

/** Reads a stream to its end by lines; what of a line is longer than 64 KiB is left out. */
export async function eachLine(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let begun = "";
  for await (const chunk of stream) {
    const lines = `${begun}${decoder.write(chunk as Buffer)}`.split("\n");
    begun = (lines.pop() ?? "").slice(0, LONGEST_LINE);
    for (const line of lines) onLine(line.slice(0, LONGEST_LINE));
  }
  if (begun !== "") onLine(begun);
}
