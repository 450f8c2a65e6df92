import { realpath, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { type BackupSource, type Captured, type PartSink, readAlong } from "../backup/index.ts";
import { codeOf, describe, UserError } from "../failure/index.ts";
import { outputOf, type Place } from "../place/index.ts";
import type { World } from "../world/index.ts";
import { Exclusion } from "./exclude.ts";
import { ListingWriter } from "./listing.ts";
import {
  ARCHIVE,
  count,
  type DirectoryFingerprint,
  LISTING,
  type Member,
  noTotals,
  type Totals,
} from "./member.ts";
import { Packing, unreadable } from "./pack.ts";
import { ArchiveDamage, readArchive } from "./read-archive.ts";
import { OnlyPaths } from "./select.ts";
import { survey } from "./walk.ts";

export interface DirectorySettings {
  readonly path: string;
  /** Patterns of names (without a slash) or paths (with one) that are left out. */
  readonly exclude?: readonly string[] | undefined;
  /** Only members of these paths, and what is in them. */
  readonly only?: readonly string[] | undefined;
  /** A pod or container where the folder is, with a tar in it; this machine when left out. */
  readonly place?: Place | undefined;
}

const NOT_KEPT = "Extended attributes and access control lists are not kept.";

/** A folder as a source of backups: a tar archive and a listing of every member with its SHA-256. */
export function directorySource(settings: DirectorySettings): BackupSource {
  const { path, place } = settings;
  const subject = place === undefined ? `folder ${path}` : `folder ${path} of ${place.name}`;
  return {
    kind: "directory",
    subject,
    capture: async (sink, world) =>
      place === undefined
        ? await captureHere(settings, sink, world)
        : await captureThere(settings, place, sink, world),
  };
}

async function captureHere(
  { path, exclude = [], only }: DirectorySettings,
  sink: PartSink,
  world: World,
): Promise<Captured> {
  const root = await folderAt(path);
  const { signal } = world;
  const found = await survey(root, filterOf(new Exclusion(exclude), only), signal);
  if (found.troubles.length > 0) throw unreadable(found.troubles, root);
  const exclusion = new Exclusion(exclude);
  const taken = world.clock.now();
  const listing = new ListingWriter();
  const totals = noTotals();
  const archive = pack();
  const packing = new Packing(root, archive, async (member) => {
    count(totals, member);
    await listing.add(member);
  });
  const content = Readable.from(archive as AsyncIterable<Buffer>, { objectMode: false });
  let sha256 = "";
  const packed = packing.all(filterOf(exclusion, only), signal).then(
    async () => {
      sha256 = await listing.end();
    },
    (error: unknown) => {
      archive.destroy(error as Error);
      listing.content.destroy(error as Error);
      throw error;
    },
  );
  await together([packed, sink.write(ARCHIVE, content), sink.write(LISTING, listing.content)]);
  return captured({ root, totals, listing, sha256, taken, exclusion, only }, [
    ...notesOn(found.others, "sockets, pipes or devices, which have no content, were left out"),
    ...notesOn(packing.vanished, "files vanished while the backup ran"),
    ...(found.sparse > 0 ? [`${found.sparse} files have holes, which are kept as zeros.`] : []),
    NOT_KEPT,
  ]);
}

function filterOf(exclusion: Exclusion, only: readonly string[] | undefined) {
  if (only === undefined) return exclusion;
  const chosen = new OnlyPaths(only);
  return { leavesOut: (path: string) => chosen.leavesOut(path) || exclusion.leavesOut(path) };
}

/**
 * Waits for all, so that nothing goes on. Of several failures the one that is for people counts:
 * others only say that it was given up.
 */
async function together(works: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(works);
  const reasons = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  if (reasons.length > 0) throw reasons.find((one) => one instanceof UserError) ?? reasons[0];
}

async function folderAt(path: string): Promise<string> {
  const title = "There is no such folder to back up";
  try {
    const root = await realpath(path);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    const remedy = "Correct the path; a relative one counts from the workspace.";
    const why = codeOf(error) === "ENOENT" ? "is not there" : `cannot be read: ${describe(error)}`;
    throw new UserError({ title, cause: `${path} ${why}.`, remedy });
  }
  throw new UserError({
    title,
    cause: `${path} is no folder.`,
    remedy: "Name the folder that it is in, and leave the rest out by `exclude`.",
  });
}

/** A folder in a pod: its own tar writes the archive, which is listed while it comes. */
async function captureThere(
  { path, exclude = [], only }: DirectorySettings,
  place: Place,
  sink: PartSink,
  world: World,
): Promise<Captured> {
  const taken = world.clock.now();
  const exclusion = new Exclusion(exclude);
  const excludes = exclusion.patterns.map((pattern) => `--exclude=${pattern}`);
  const members = only === undefined ? ["."] : only.map((each) => `./${each}`);
  const args = [...excludes, "-cf", "-", "-C", path, ...members];
  const running = await place.start({ program: "tar", args }, world.signal);
  const output = outputOf(running, ({ message, stderr }) =>
    tarFailed(path, place, message, stderr),
  );
  const listing = new ListingWriter();
  const totals = noTotals();
  const { content, result } = readAlong(output, async (chunks) => {
    try {
      for await (const member of readArchive(chunks)) {
        const { path, type, size, mode, mtime, uid, gid, target } = member;
        const sum = await member.sum();
        const listed: Member = {
          path,
          type,
          size,
          mode,
          mtime,
          uid,
          gid,
          ...(type === "file" ? { sha256: sum } : {}),
          ...(target === undefined ? {} : { target }),
        };
        count(totals, listed);
        await listing.add(listed);
      }
      return await listing.end();
    } catch (error) {
      listing.content.destroy(error as Error);
      throw error instanceof ArchiveDamage ? tarFailed(path, place, error.message, "") : error;
    }
  });
  await together([sink.write(ARCHIVE, content), sink.write(LISTING, listing.content)]);
  const sha256 = await result;
  return captured({ root: path, totals, listing, sha256, taken, exclusion, only }, [NOT_KEPT]);
}

function tarFailed(path: string, place: Place, message: string, stderr: string): UserError {
  const told = stderr.trim().split("\n").at(0) ?? "";
  const missing =
    /not found|no such file.*tar|executable file/i.test(`${message} ${stderr}`) && told === "";
  const changed = /file changed as we read it|file removed before|file shrank/i.exec(stderr);
  return new UserError({
    title: `The folder ${path} of ${place.name} could not be read whole`,
    cause: `${told || message || "tar failed"}`.replace(/\.?$/, "."),
    remedy: changed
      ? "Run this again when less is written there, or leave what changes out by `exclude`."
      : missing
        ? "The container needs a tar; name another container of the pod that mounts the same volume."
        : "See what tar says: give its user the right to read everything, or leave it out by `exclude`.",
    evidence: stderr,
  });
}

function notesOn(paths: readonly string[], what: string): string[] {
  if (paths.length === 0) return [];
  const more = paths.length > 3 ? ", ..." : "";
  return [`${paths.length} ${what}: ${paths.slice(0, 3).join(", ")}${more}.`];
}

function shortened(paths: readonly string[]): string {
  const more = paths.length > 10 ? ` and ${paths.length - 10} more` : "";
  return `${paths.slice(0, 10).join(", ")}${more}`;
}

interface Packed {
  readonly root: string;
  readonly totals: Totals;
  readonly listing: ListingWriter;
  readonly sha256: string;
  readonly taken: number;
  readonly exclusion: Exclusion;
  readonly only: readonly string[] | undefined;
}

function captured(
  { root, totals, listing, sha256, taken, exclusion, only }: Packed,
  notes: readonly string[],
): Captured {
  const fingerprint: DirectoryFingerprint = {
    schema: 1,
    kind: "directory",
    root,
    ...totals,
    listing: { part: LISTING, members: listing.members, sha256 },
  };
  return {
    fingerprint,
    source: { folder: root },
    taken,
    measures: { ...totals },
    excluded: [
      ...(only === undefined ? [] : [`everything but ${shortened(only)}`]),
      ...exclusion.patterns.map((pattern) => `files like ${pattern}`),
    ],
    notes: [
      ...notes,
      ...exclusion.unused.map((pattern) => `Nothing was left out by the pattern ${pattern}.`),
    ],
  };
}
