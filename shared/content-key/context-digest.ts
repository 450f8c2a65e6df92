import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { codeOf, UserError } from "../failure/index.ts";
import { ignoreFileOf } from "./ignore-file.ts";
import { type IgnoreRule, parseIgnoreFile } from "./ignore-rule.ts";
import type { Chunk, Hashed, LinkedFile, TreeReading, TreeRequest } from "./tree-reader.ts";
import { processorTime, readTree, readTreeAside } from "./tree-worker.ts";

/** A folder as a build sees it. */
export interface ContextDigest {
  /** 64 hexadecimal digits: of names, kinds, permissions, link targets and contents. */
  readonly digest: string;
  /** Digests of what is at the top: name, and `/` behind a folder's; "" for all other files. */
  readonly parts: Readonly<Record<string, string>>;
  readonly files: number;
  readonly bytes: number;
}

/** What takes no more processor time is read at once; larger folders by workers, beside the rest. */
const AT_ONCE_MS = 60;
const ATTEMPTS = 3;
/** A file's time may be that much behind the clock. */
const CLOCK_SLACK_MS = 100;
const MOST_THREADS = 4;

/**
 * Reads a folder as BuildKit's client would send it, after an ignore file, and hashes it.
 *
 * @param ignoreFile text of the ignore file that belongs to the Dockerfile, which has precedence;
 *   undefined where there is none and `.dockerignore` of the folder counts.
 * @param paths what of the folder is seen at all, as a Dockerfile names it; everything unless given.
 * @throws {UserError} when something cannot be read, or changes all the time.
 */
export async function contextDigest(
  folder: string,
  ignoreFile: string | undefined,
  signal: AbortSignal,
  paths?: readonly string[],
): Promise<ContextDigest> {
  const root = await realpath(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  let only = paths?.map(wayOf);
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await readOnce({ root, rules: ignoreRules(root, ignoreFile), only }, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (codeOf(error) === "ENARROW") {
        // Where the link leads is not worth the risk of being wrong about it.
        only = undefined;
        continue;
      }
      if (!isChange(error)) throw unreadable(folder, error);
      if (attempt === ATTEMPTS) throw restless(folder, error);
    }
  }
}

function ignoreRules(root: string, ignoreFile: string | undefined): readonly IgnoreRule[] {
  const text = ignoreFile ?? ignoreFileOf(root)?.text;
  // What cannot be understood may leave out nothing: then every file counts.
  return (text === undefined ? [] : parseIgnoreFile(text)) ?? [];
}

/**
 * A source of COPY as a regular expression for each name on its way. It takes no less than what Go's
 * path/filepath.Match takes: of a class any character.
 */
function wayOf(path: string): readonly string[] {
  return path.split("/").map((name) => {
    const source = name.replace(
      /\\([\s\S]?)|\*|\?|\[[^\]]*\]?|[$()+.^{|}\]]/g,
      (found, escaped?: string) => {
        if (escaped !== undefined) return escaped.replace(/[$()*+.?[\\\]^{|}]/, "\\$&");
        if (found === "*") return ".*";
        if (found === "?") return ".";
        return found.startsWith("[") ? ".+" : `\\${found}`;
      },
    );
    return `^(?:${source})$`;
  });
}

async function readOnce(
  tree: Pick<TreeRequest, "root" | "rules" | "only">,
  signal: AbortSignal,
): Promise<ContextDigest> {
  const since = Date.now() - CLOCK_SLACK_MS;
  const until = processorTime() + AT_ONCE_MS;
  const begun = readTree({ ...tree, from: 0, until, since });
  if (begun.isWhole) return combine(begun, []);
  const from = begun.chunks.length;
  const { walked, hashed } = await readAside({ ...tree, from, until: undefined, since }, signal);
  return combine(walked, [begun, ...hashed]);
}

let turn: Promise<unknown> = Promise.resolve();

/** One large tree at a time: each has all processors. */
function readAside(request: TreeRequest, signal: AbortSignal): ReturnType<typeof readTreeAside> {
  const threads = Math.min(availableParallelism(), MOST_THREADS);
  const mine = turn.then(() => readTreeAside(request, threads, signal));
  turn = mine.catch(() => undefined);
  return mine;
}

function combine(walked: TreeReading, others: readonly Hashed[]): ContextDigest {
  const all = [walked, ...others];
  const chunks = all.flatMap((each) => each.chunks).sort((a, b) => a.index - b.index);
  if (!chunks.every(({ index }, at) => index === at))
    throw new Error("a piece of a tree is missing");
  const hash = createHash("sha256").update(`tree 1\n${walked.names}\n`);
  for (const { digest } of chunks) hash.update(digest);
  hash.update(`\n${JSON.stringify(hardLinks(all.flatMap((each) => each.linked)))}`);
  return {
    digest: hash.digest("hex"),
    parts: partDigests(walked, chunks),
    files: sum(chunks.map(({ files }) => files)),
    bytes: sum(chunks.map(({ bytes }) => bytes)),
  };
}

function partDigests(
  reading: TreeReading,
  chunks: readonly Chunk[],
): Readonly<Record<string, string>> {
  const digests = new Map<string, string[]>();
  for (const { part, digest } of chunks) {
    const all = digests.get(part);
    if (all === undefined) digests.set(part, [digest]);
    else all.push(digest);
  }
  const parts = reading.parts.map(([name, isFolder, names]) => {
    const text = [names, ...(digests.get(name) ?? [])].join("");
    return [isFolder ? `${name}/` : name, createHash("sha256").update(text).digest("hex")] as const;
  });
  return Object.fromEntries(parts);
}

/** For each file with several names: the names, in the order of the walk. */
function hardLinks(linked: readonly LinkedFile[]): readonly (readonly string[])[] {
  const groups = new Map<string, LinkedFile[]>();
  for (const file of linked) {
    const group = groups.get(file.inode);
    if (group === undefined) groups.set(file.inode, [file]);
    else group.push(file);
  }
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => group.sort((a, b) => a.index - b.index))
    .sort((a, b) => (a[0]?.index ?? 0) - (b[0]?.index ?? 0))
    .map((group) => group.map(({ path }) => path));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** What is gone when it is opened was there when its folder was listed. */
function isChange(error: unknown): boolean {
  return codeOf(error) === "ECHANGED" || codeOf(error) === "ENOENT";
}

function pathOf(folder: string, error: unknown): string {
  const path = (error as { path?: unknown } | undefined)?.path;
  return path === undefined ? folder : String(path);
}

function restless(folder: string, error: unknown): UserError {
  return new UserError({
    title: "The build context changes while it is read",
    cause: `${pathOf(folder, error)} in the context ${folder} changed each of the ${ATTEMPTS} times it was read.`,
    remedy:
      "Let the step that writes it end before this one, or leave the file out of the context with a line in .dockerignore.",
  });
}

function unreadable(folder: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || error instanceof UserError) return error;
  return new UserError({
    title: "The build context cannot be read",
    cause: `${pathOf(folder, error)} in the context ${folder}: ${(error as Error).message}.`,
    remedy:
      "Let the user of this job read it, or leave it out of the context with a line in .dockerignore.",
  });
}
