import { Readable } from "node:stream";
import { type Pack, pack } from "tar-stream";
import type { Choice } from "./choice.ts";
import { rightsHeaders } from "./pack.ts";
import { ArchiveDamage, type ArchiveMember } from "./read-archive.ts";
import type { Listed } from "./read-together.ts";

type Late = Omit<ArchiveMember, "sum">;

/** An archive of what is restored, for a tar elsewhere. */
export interface Repacked {
  readonly content: Readable;
  /** Pipes and devices, which are not in it. */
  readonly leftOut: readonly string[];
  /** Whether the folder itself is in it, once it was read. */
  readonly has: { readonly root: boolean };
}

/**
 * Packs the members that are restored anew, in an order in which any tar unpacks them safely: files
 * first, then symbolic links, so that nothing is written through one; folders last and inner ones
 * first, so that they keep their times.
 */
export function repacked(members: AsyncIterable<Listed>, choice: Choice): Repacked {
  const archive = pack();
  const leftOut: string[] = [];
  const content = Readable.from(archive as AsyncIterable<Buffer>, { objectMode: false });
  const has = { root: false };
  fillArchive(archive, members, choice, { leftOut, has }).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error as Error),
  );
  return { content, leftOut, has };
}

async function fillArchive(
  archive: Pack,
  members: AsyncIterable<Listed>,
  choice: Choice,
  { leftOut, has }: { leftOut: string[]; has: { root: boolean } },
): Promise<void> {
  const [links, folders]: [Late[], Late[]] = [[], []];
  for await (const { expected, member } of members) {
    const path = expected.superseded ? undefined : choice.placeOf(member.path);
    if (path === undefined) continue;
    if (path === ".") has.root = true;
    if (member.type === "folder") folders.push(member);
    else if (member.type === "symlink") links.push(member);
    else if (member.type === "file") await file(archive, path, member);
    else if (member.type === "hardlink") await hardlink(archive, member, choice);
    else leftOut.push(member.path);
  }
  for (const each of links) await entry(archive, each, "symlink", each.target);
  for (const each of folders.reverse()) await entry(archive, each, "directory", undefined);
}

async function hardlink(archive: Pack, member: Late, choice: Choice): Promise<void> {
  const { path, target = "" } = member;
  const first = choice.placeOf(target);
  if (first === undefined) throw new ArchiveDamage(`holds ${path}, a link to what is not in it`);
  if (first !== path) await entry(archive, member, "link", `./${first}`);
}

async function entry(
  archive: Pack,
  { path, mode, mtime, uid, gid }: Late,
  type: "symlink" | "link" | "directory",
  linkname: string | undefined,
): Promise<void> {
  const made = archive.entry({
    ...{ name: type === "directory" ? `./${path}/` : `./${path}`, type },
    ...{ mtime: new Date(mtime * 1000), ...rightsHeaders({ mode, uid, gid }) },
    ...(linkname === undefined ? {} : { linkname }),
  });
  made.end(null);
}

async function file(archive: Pack, path: string, member: ArchiveMember): Promise<void> {
  const { size, mode, mtime, uid, gid } = member;
  const made = archive.entry({
    ...{ name: `./${path}`, type: "file", size, mtime: new Date(mtime * 1000) },
    ...rightsHeaders({ mode, uid, gid }),
  });
  // What fails is told by what waits for it.
  made.on("error", () => {});
  await member.sum(async (piece) => {
    if (made.write(piece)) return;
    await settled(made, "drain");
  });
  const finished = settled(made, "finish");
  made.end(null);
  await finished;
}

async function settled(stream: ReturnType<Pack["entry"]>, event: "drain" | "finish") {
  await new Promise<void>((resolve, reject) => {
    const done = () => {
      stream.off("close", closed);
      resolve();
    };
    const closed = () => {
      stream.off(event, done);
      reject(new Error("the archive was given up"));
    };
    stream.once(event, done);
    stream.once("close", closed);
  });
}
