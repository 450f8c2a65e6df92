import { contentOf, type DumpFile, type ExamineOptions } from "../dump-format/index.ts";

/** How the encryption around files is opened. */
export type Decrypt = NonNullable<ExamineOptions["decrypt"]>;

/**
 * A file without the compressions and encryptions around it.
 *
 * @throws {UserError} within the stream where one is broken or cannot be opened.
 */
export function plainContent(
  file: DumpFile,
  { signal, decrypt }: { readonly signal: AbortSignal; readonly decrypt?: Decrypt | undefined },
): AsyncIterable<Buffer> {
  return contentOf(file, { signal, ...(decrypt === undefined ? {} : { decrypt }) });
}
