import { readdir, readFile, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { codeOf, describe } from "../failure/index.ts";
import type { Declaration, Source, Text } from "./declaration.ts";
import { parseEnvLines } from "./env-lines.ts";
import { keyProblem, MOST_BYTES } from "./key-rules.ts";

/** Where a job's values are. */
export interface Ground {
  /** What relative paths begin at. */
  readonly workspace: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One value that was found. */
export interface Entry {
  readonly key: string;
  readonly value: Buffer;
  /** For people: `variable DATABASE_URL`, `file certs/ca.pem`. */
  readonly origin: string;
}

/** Something that keeps a value from being read; says where, and quotes no value. */
export class SourceProblem extends Error {}

/**
 * Reads all values of a declaration.
 *
 * @returns the entries, and all that is wrong.
 */
export async function readSources(
  { sources }: Declaration,
  ground: Ground,
): Promise<{ readonly entries: readonly Entry[]; readonly problems: readonly string[] }> {
  const read = await Promise.allSettled(sources.map((source) => entriesOf(source, ground)));
  const problems = read.flatMap((result) => {
    if (result.status === "fulfilled") return [];
    if (!(result.reason instanceof SourceProblem)) throw result.reason;
    return [result.reason.message];
  });
  const entries = read.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  return { entries, problems };
}

/**
 * A text that is given or stands in a variable.
 *
 * @throws {SourceProblem}
 */
export function readText(text: Text, ground: Ground): string {
  return "literal" in text ? text.literal : variable(text.variable, ground);
}

async function entriesOf(source: Source, ground: Ground): Promise<readonly Entry[]> {
  switch (source.from) {
    case "literal":
      return [entry(source.key, source.value, "literals")];
    case "variable":
      return [entry(source.key, variable(source.variable, ground), `variable ${source.variable}`)];
    case "file":
      return fileEntries(source.key, source.path, ground);
    case "env-file":
      return envFileEntries(source.path, ground);
  }
}

function entry(key: string, value: string, origin: string): Entry {
  return { key, value: Buffer.from(value), origin };
}

function variable(name: string, { environment }: Ground): string {
  const value = environment[name];
  if (value !== undefined) return value;
  throw new SourceProblem(
    `the variable ${name} is not set: give it to the step, as \`env: { ${name}: \${{ secrets.${name} }} }\``,
  );
}

async function fileEntries(
  key: string | undefined,
  path: string,
  ground: Ground,
): Promise<readonly Entry[]> {
  const whole = resolve(ground.workspace, path);
  const found = await stat(whole).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!found.isDirectory()) return [await fileEntry(key ?? basename(whole), path, ground)];
  if (key !== undefined) {
    throw new SourceProblem(`${path} is a folder: its files become keys by their own names`);
  }
  const inside = await readdir(whole, { withFileTypes: true });
  const names = inside.filter((item) => item.isFile()).map(({ name }) => name);
  if (names.length === 0) throw new SourceProblem(`the folder ${path} holds no file`);
  return Promise.all(
    names.sort().map((name) => fileEntry(name, `${path.replace(/\/+$/, "")}/${name}`, ground)),
  );
}

async function fileEntry(key: string, path: string, { workspace }: Ground): Promise<Entry> {
  const problem = keyProblem(key);
  if (problem !== undefined) throw new SourceProblem(`${path}: ${problem}; write it as key=path`);
  return { key, value: await content(path, workspace), origin: `file ${path}` };
}

async function envFileEntries(path: string, ground: Ground): Promise<readonly Entry[]> {
  const bytes = await content(path, ground.workspace);
  return parseEnvLines(bytes.toString("utf8")).map(({ line, name, value }) => {
    const problem = keyProblem(name);
    // A line that is no pair may be a piece of a secret.
    if (problem !== undefined)
      throw new SourceProblem(`${path}, line ${line}: it is not NAME=value`);
    const origin = `${path}, line ${line}`;
    if (value !== undefined) return entry(name, value, origin);
    if (ground.environment[name] === undefined) {
      throw new SourceProblem(
        `${path}, line ${line}: it has no value, and no variable has its name`,
      );
    }
    return entry(name, ground.environment[name], origin);
  });
}

/** What a file holds; one that cannot fit into an object is not even read. */
async function content(path: string, workspace: string): Promise<Buffer> {
  const whole = resolve(workspace, path);
  try {
    const { size } = await stat(whole);
    if (size > MOST_BYTES) {
      throw new SourceProblem(
        `${path} has ${size} bytes; an object holds ${MOST_BYTES} (1 MiB) at most`,
      );
    }
    return await readFile(whole);
  } catch (error) {
    if (error instanceof SourceProblem) throw error;
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): SourceProblem {
  return new SourceProblem(
    codeOf(error) === "ENOENT"
      ? `the file ${path} does not exist in the workspace`
      : `the file ${path} cannot be read: ${describe(error)}`,
  );
}
