import { type Damage, flipped, followedBy, shortened, text, truncated, zeroed } from "./bytes.ts";
import type { Case } from "./case.ts";
import { type Member, retarred } from "./tar.ts";

const ARCHIVE = "files.tar";
const LISTING = "members.jsonl";

function stored(name: string, part: string, damage: Damage): Case {
  return {
    ...{ name, format: "files", level: "file", harms: true, tier: "integrity" },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("files", folder);
      await backup.damageStored(part, damage);
      return backup.inputs;
    },
  };
}

function resummed(
  name: string,
  part: string,
  damage: (bytes: Buffer) => Buffer | Promise<Buffer>,
): Case {
  return {
    ...{
      name: `${name}, sums made right`,
      format: "files",
      level: "file",
      harms: true,
      tier: "integrity",
    },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("files", folder);
      await backup.write(part, await damage(await backup.content(part)));
      return backup.inputs;
    },
  };
}

function members(
  name: string,
  change: (members: readonly Member[]) => readonly Member[],
  harms = true,
): Case {
  const fault = resummed(name, ARCHIVE, (bytes) => retarred(bytes, change));
  return harms ? fault : { ...fault, name, harms, tier: "full" };
}

function changed(path: string, change: (member: Member) => Member) {
  return (all: readonly Member[]) => {
    if (!all.some(({ header }) => header.name === path)) throw new Error(`no member ${path}`);
    return all.map((member) => (member.header.name === path ? change(member) : member));
  };
}

export const directoryFaults: readonly Case[] = [
  stored("a bit of an archive", ARCHIVE, flipped(0.5)),
  stored("an archive cut", ARCHIVE, truncated(0.5)),
  stored("a listing cut", LISTING, truncated(0.5)),
  resummed("an archive cut", ARCHIVE, truncated(0.5)),
  resummed("an archive without its end", ARCHIVE, shortened(1_024)),
  resummed("an archive of no bytes", ARCHIVE, truncated(0)),
  resummed("zeros in an archive", ARCHIVE, zeroed(0.5, 512)),
  resummed("garbage behind an archive", ARCHIVE, followedBy(Buffer.alloc(512, "g"))),
  resummed(
    "a letter of a file",
    ARCHIVE,
    text((all) => all.replace("content of 7", "content of 8")),
  ),
  resummed(
    "a listing short of a line",
    LISTING,
    text((all) => all.split("\n").toSpliced(3, 1).join("\n")),
  ),
  ...[ARCHIVE, LISTING].map(
    (part): Case => ({
      ...{ name: `no ${part} in the manifest, sums made right`, format: "files", level: "file" },
      ...{ harms: true, tier: "integrity" },
      arrange: async (scene, folder) => {
        const backup = await scene.copy("files", folder);
        await backup.forget(part);
        return backup.inputs;
      },
    }),
  ),
  members("a file lost", (all) => all.filter(({ header }) => header.name !== "deep/7.txt")),
  members("a file more", (all) => [
    ...all,
    ...all.flatMap(({ header, content }) =>
      header.name === "deep/7.txt" ? [{ header: { ...header, name: "more.txt" }, content }] : [],
    ),
  ]),
  members(
    "a file of no bytes",
    changed("deep/7.txt", ({ header }) => ({
      header: { ...header, size: 0 },
      content: Buffer.alloc(0),
    })),
  ),
  members(
    "other permissions",
    changed("deep/7.txt", ({ header, content }) => ({
      header: { ...header, mode: 0o600 },
      content,
    })),
  ),
  members(
    "a link to elsewhere",
    changed("link", ({ header, content }) => ({
      header: { ...header, linkname: "deep/8.txt" },
      content,
    })),
  ),
  members(
    "a member out of the folder",
    changed("deep/7.txt", ({ header, content }) => ({
      header: { ...header, name: "../7.txt" },
      content,
    })),
  ),
  members("contents of two files swapped", (all) => {
    const of = (path: string) =>
      all.find(({ header }) => header.name === path)?.content ?? Buffer.alloc(0);
    const [one, two] = [of("deep/7.txt"), of("deep/8.txt")];
    return changed("deep/7.txt", ({ header }) => ({
      header: { ...header, size: two.length },
      content: two,
    }))(
      changed("deep/8.txt", ({ header }) => ({
        header: { ...header, size: one.length },
        content: one,
      }))(all),
    );
  }),
  members(
    "other owners by name and number",
    (all) =>
      all.map(({ header, content }) => ({
        header: { ...header, uname: "alice", gname: "staff" },
        content,
      })),
    false,
  ),
];
