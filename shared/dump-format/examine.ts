import { createHash } from "node:crypto";
import { ByteCursor } from "./byte-cursor.ts";
import { readCustom } from "./custom.ts";
import type { Dump, DumpFile } from "./dump.ts";
import type { DumpExamination, ExamineOptions } from "./examination.ts";
import { examineFolder } from "./examine-folder.ts";
import { examineTar } from "./examine-tar.ts";
import { FaultList } from "./fault-list.ts";
import { type Format, type Layer, type Recognised, recognised } from "./format.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { PlainDump } from "./plain-dump.ts";
import { nothingRead, type Read, type Reading } from "./reading.ts";
import { formatOf, HEAD_BYTES, layerOf } from "./recognise.ts";
import { compareRows, isMeant, itemsOf, named } from "./row-count.ts";
import { unpack } from "./unpack.ts";

/**
 * Reads every byte of a dump once, and tells everything that is wrong with it as far as the bytes
 * alone can tell. What is wrong is a finding, never an exception.
 *
 * @throws whatever reading the files themselves throws.
 */
export async function examineDump(dump: Dump, options: ExamineOptions): Promise<DumpExamination> {
  const faults = new FaultList();
  const reading: Reading = {
    signal: options.signal,
    faults,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    decrypt: options.decrypt,
    onProgress: options.onProgress,
    skim: options.skim ?? false,
  };
  const [file] = dump.files;
  const read = dump.folder
    ? await examineFolder(dump, reading)
    : file === undefined
      ? nothingRead(recognised([], "empty"))
      : await examineFile(file, reading);
  if (read.recognised.refusal !== undefined) sayRefused(read.recognised, dump.name, faults);
  return examinationOf(read, faults, options);
}

function examinationOf(read: Read, faults: FaultList, options: ExamineOptions): DumpExamination {
  const { expected } = options;
  const rows = named(read.rows, expected);
  const findings = faults.findings().filter((finding) => !isMeant(finding, expected));
  const countable = read.recognised.refusal === undefined && read.countsRows;
  if (expected !== undefined && countable) findings.push(...compareRows(rows, expected));
  return {
    ...read,
    rows,
    findings,
    items: countable ? itemsOf(rows, expected) : [],
    unit: "rows",
    reached: "integrity",
  };
}

function sayRefused(what: Recognised, name: string, faults: FaultList): void {
  const sealed = what.format === "sealed";
  faults.add({
    detector: "format",
    weight: sealed ? "doubt" : "damage",
    subject: name,
    what: `It is ${what.sentence}, and cannot be examined. ${what.refusal ?? ""}`.trim(),
    expected: "a dump of PostgreSQL",
    found: what.sentence,
  });
}

/** Reads a file from the outside to the inside, layer by layer. */
async function examineFile(file: DumpFile, reading: Reading): Promise<Read> {
  // Whoever only skims it has held it against its sum already.
  const sum = reading.skim ? undefined : createHash("sha256");
  let storedBytes = 0;
  const content = await file.open(reading.signal);
  const stored = new ByteCursor(
    (async function* () {
      for await (const chunk of content) {
        reading.signal.throwIfAborted();
        sum?.update(chunk);
        storedBytes += chunk.length;
        reading.onProgress?.(storedBytes);
        yield chunk;
      }
    })(),
  );
  try {
    const read = await examineLayers(stored, file.name, reading);
    // What was not needed still has to be readable, and is part of the sum.
    for await (const _ of stored.rest());
    return { ...read, storedBytes, sha256: sum?.digest("hex") };
  } finally {
    await stored.close();
  }
}

async function examineLayers(stored: ByteCursor, name: string, reading: Reading): Promise<Read> {
  const layers: Layer[] = [];
  const open = [stored];
  try {
    for (;;) {
      const cursor = open.at(-1) ?? stored;
      const head = await cursor.peek(HEAD_BYTES);
      const layer = layerOf(head);
      if (layer === undefined) {
        const read = await examineInner(cursor, formatOf(head), layers, name, reading);
        // What a reader left is read too: the sums of the layers around it stand at their ends.
        for (const around of open.toReversed()) for await (const _ of around.rest());
        return read;
      }
      layers.push(layer);
      const inner = layers.length > 5 ? undefined : unfold(cursor, layer, name, reading);
      if (inner === undefined) return nothingRead(recognised(layers, "sealed"));
      open.push(new ByteCursor(inner));
    }
  } finally {
    for (const cursor of open.slice(1).reverse()) await cursor.close();
  }
}

function unfold(
  cursor: ByteCursor,
  layer: Layer,
  subject: string,
  reading: Reading,
): AsyncIterable<Buffer> | undefined {
  if (layer === "gzip" || layer === "zstd" || layer === "lz4") {
    return unpack(cursor, layer, { subject, faults: reading.faults, limits: reading.limits });
  }
  if (layer === "age" || layer === "openssl") return reading.decrypt?.(layer, cursor.rest());
  return undefined;
}

async function examineInner(
  cursor: ByteCursor,
  format: Format,
  layers: readonly Layer[],
  name: string,
  reading: Reading,
): Promise<Read> {
  const what = recognised(layers, format);
  switch (format) {
    case "pg-plain":
    case "pg-plain-cluster":
    case "sql":
      return await examinePlain(cursor, what, name, reading);
    case "pg-custom":
      return await readCustom(cursor, what, name, reading);
    case "pg-tar":
    case "tar":
    case "pg-basebackup":
      return await examineTar(cursor, what, name, reading);
    default: {
      let plainBytes = 0;
      for await (const chunk of cursor.rest()) plainBytes += chunk.length;
      return { ...nothingRead(what), plainBytes };
    }
  }
}

async function examinePlain(
  cursor: ByteCursor,
  what: Recognised,
  name: string,
  reading: Reading,
): Promise<Read> {
  const dump = new PlainDump({ subject: name, faults: reading.faults });
  for (;;) {
    const chunk = await cursor.chunk();
    if (chunk === undefined) break;
    reading.signal.throwIfAborted();
    dump.push(chunk);
  }
  const facts = dump.end();
  const rows = new Map<string, number>();
  for (const table of facts.tables.values()) {
    if (table.announced !== undefined) rows.set(table.name, table.rows);
  }
  const unknown = [
    "A value that was changed into another of the same form cannot be seen in plain text without restoring it.",
  ];
  if (what.format === "sql") {
    unknown.push(
      "Nothing tells where a dump that pg_dump did not write ends, so a missing end may go unnoticed.",
    );
  }
  return {
    ...nothingRead(what),
    rows,
    countsRows: true,
    server: facts.server,
    dumper: facts.dumper,
    plainBytes: cursor.position,
    unknown,
  };
}
