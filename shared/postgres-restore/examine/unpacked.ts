import { Readable } from "node:stream";
import type { DumpFile, Recognised, Dump as StoredDump } from "../../dump-format/index.ts";
import { decompression, through } from "../../sealing/index.ts";
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
 * What can be restored of what was recognised: without the compressions around it. Undefined where
 * it is no dump of PostgreSQL, or lies in something that is not opened here.
 */
export function restorable(stored: StoredDump, recognised: Recognised): Dump | undefined {
  const form = FORMS[recognised.format];
  if (form === undefined) return undefined;
  if (!recognised.layers.every((layer) => layer === "gzip" || layer === "zstd")) return undefined;
  return {
    form,
    files: stored.files.map((file) => ({
      name: file.name,
      open: (signal) => opened(file, recognised.layers as ("gzip" | "zstd")[], signal),
    })),
  };
}

async function opened(
  file: DumpFile,
  layers: readonly ("gzip" | "zstd")[],
  signal: AbortSignal,
): Promise<Readable> {
  const content = await file.open(signal);
  const readable = content instanceof Readable ? content : Readable.from(content);
  return layers.length === 0 ? readable : through(readable, ...layers.map(decompression));
}
