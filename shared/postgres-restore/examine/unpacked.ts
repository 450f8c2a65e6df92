import { Readable } from "node:stream";
import {
  contentOf,
  type ExamineOptions,
  type Recognised,
  type Dump as StoredDump,
} from "../../dump-format/index.ts";
import type { Dump } from "../dump/dump.ts";

const FORMS: Partial<Record<Recognised["format"], Dump["form"]>> = {
  "pg-plain": "plain",
  "pg-plain-cluster": "plain",
  sql: "plain",
  "pg-custom": "custom",
  "pg-directory": "directory",
  "pg-tar": "tar",
};

/**
 * What can be restored of what was recognised: without the compressions and encryptions around it.
 * Undefined where it is no dump of PostgreSQL.
 */
export function restorable(
  stored: StoredDump,
  { format, layers }: Recognised,
  options: Pick<ExamineOptions, "signal" | "decrypt" | "limits">,
): Dump | undefined {
  const form = FORMS[format];
  if (form === undefined) return undefined;
  return {
    form,
    files: stored.files.map((file) => ({
      name: file.name,
      copy: layers.length === 0 ? file.copy : undefined,
      open: async (signal) => {
        // The members of a folder are compressed as pg_restore wants them.
        if (!stored.folder) return Readable.from(contentOf(file, { ...options, signal }));
        const content = await file.open(signal);
        return content instanceof Readable ? content : Readable.from(content);
      },
    })),
  };
}
