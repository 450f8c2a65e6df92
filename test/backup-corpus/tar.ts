import { buffer } from "node:stream/consumers";
import { extract, type Header, pack } from "tar-stream";

export interface Member {
  readonly header: Header;
  readonly content: Buffer;
}

/** A tar archive with other members; their headers are right for what they hold. */
export async function retarred(
  archive: Buffer,
  change: (members: readonly Member[]) => readonly Member[],
): Promise<Buffer> {
  const members: Member[] = [];
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    members.push({ header: entry.header, content: await buffer(entry) });
  }
  const writer = pack();
  for (const { header, content } of change(members)) {
    const { pax: _, ...plain } = header;
    writer.entry({ ...plain, size: content.length }, content);
  }
  writer.finalize();
  return await buffer(writer);
}
