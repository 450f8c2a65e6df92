import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Dump, type DumpExamination, examineDump } from "../../../shared/dump-format/index.ts";

const FOLDER = join(import.meta.dirname, "../../fixtures/dumps");

/** Files of a real dump by name; one file has the name of the dump. */
export type Files = ReadonlyMap<string, Buffer>;

/** A dump of test/fixtures/dumps: `15/custom.dump`, `17/directory`. */
export function fixture(name: string): Files {
  const path = join(FOLDER, name);
  if (!statSync(path).isDirectory()) return new Map([[name, readFileSync(path)]]);
  return new Map(readdirSync(path).map((file) => [file, readFileSync(join(path, file))]));
}

export function dumpFrom(files: Files, folder: boolean, piece = 4096): Dump {
  return {
    name: "dump",
    folder,
    files: [...files].map(([name, bytes]) => ({
      name,
      bytes: bytes.length,
      open: async () => pieces(bytes, piece),
    })),
  };
}

export async function* pieces(bytes: Buffer, piece = 4096): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

type Options = Partial<Parameters<typeof examineDump>[1]>;

/** Examines one file. */
export async function examine(
  bytes: Buffer | string,
  options: Options = {},
): Promise<DumpExamination> {
  const content = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  return await examineFiles(new Map([["dump.sql", content]]), false, options);
}

export async function examineFiles(
  files: Files,
  folder: boolean,
  options: Options = {},
): Promise<DumpExamination> {
  const signal = new AbortController().signal;
  return await examineDump(dumpFrom(files, folder), { signal, ...options });
}

/** `damage end-marker`: what an examination found beside notes, each once. */
export function verdicts(examination: DumpExamination): string[] {
  const serious = examination.findings.filter((finding) => finding.weight !== "note");
  return [...new Set(serious.map((finding) => `${finding.weight} ${finding.detector}`))].sort();
}

/** The only file of a fixture. */
export function fileOf(name: string): Buffer {
  return [...fixture(name).values()][0] ?? Buffer.alloc(0);
}
