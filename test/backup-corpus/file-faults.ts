import { deflateSync, gunzipSync, gzipSync } from "node:zlib";
import type { Tier } from "../../shared/proof/index.ts";
import {
  type Damage,
  excised,
  flipped,
  followedBy,
  passage,
  replaced,
  shortened,
  swappedHalves,
  text,
  truncated,
  twice,
  zeroed,
} from "./bytes.ts";
import type { Case } from "./case.ts";
import type { KeptBackup } from "./kept-backup.ts";

const PARTS = { plain: "dump.sql", custom: "dump.pgdump", directory: "dump/toc.dat" } as const;
type Form = keyof typeof PARTS;

const HTML =
  "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body></body></html>\n";

/** The file was damaged after it was written: the manifest remembers what it was. */
function stored(format: Form, name: string, damage: Damage): Case {
  return {
    ...{ name, format, level: "file", harms: true, tier: "integrity" },
    arrange: async (scene, folder) => {
      const backup = await scene.copy(format, folder);
      await backup.damageStored(PARTS[format], damage);
      return backup.inputs;
    },
  };
}

/** The manifest knows nothing of the damage: it was there when the sums were made. */
function resummed(format: Form, name: string, tier: Tier, damage: Damage): Case {
  return backupWith(format, `${name}, sums made right`, tier, (backup) =>
    backup.change(PARTS[format], damage),
  );
}

function backupWith(
  format: Form,
  name: string,
  tier: Tier,
  change: (backup: KeptBackup) => Promise<void>,
): Case {
  return {
    ...{ name, format, level: "file", harms: true, tier },
    arrange: async (scene, folder) => {
      const backup = await scene.copy(format, folder);
      await change(backup);
      return backup.inputs;
    },
  };
}

/** Lines of a COPY's rows of a table. */
function rowsOf(table: string, change: (rows: readonly string[]) => readonly string[]): Damage {
  return text((sql) => {
    const from = sql.indexOf("\n", sql.indexOf(`COPY ${table} `)) + 1;
    const to = sql.indexOf("\n\\.\n", from);
    const rows = sql.slice(from, to).split("\n");
    return `${sql.slice(0, from)}${change(rows).join("\n")}${sql.slice(to)}`;
  });
}

/** Cut behind a whole row, as a full disk with a buffer of lines leaves it. */
function cutInRows(table: string, part: number): Damage {
  return text((sql) => {
    const from = sql.indexOf("\n", sql.indexOf(`COPY ${table} `)) + 1;
    const to = sql.indexOf("\n\\.\n", from);
    const end = sql.lastIndexOf("\n", from + Math.floor((to - from) * part)) + 1;
    return sql.slice(0, end);
  });
}

const storedPlain: readonly Case[] = [
  stored("plain", "a bit at the head", flipped(0.001)),
  stored("plain", "a bit in the middle", flipped(0.5, 3)),
  stored("plain", "a bit in the last byte", flipped(1, 7)),
  stored("plain", "512 zeros in the middle", zeroed(0.5, 512)),
  stored("plain", "cut in half", truncated(0.5)),
  stored("plain", "cut by a byte", shortened(1)),
  stored("plain", "no bytes", truncated(0)),
  stored("plain", "bytes behind the end", followedBy("garbage")),
  stored("plain", "twice in a row", twice),
  stored("plain", "a page of HTML", replaced(HTML)),
];

const storedCustom: readonly Case[] = [
  stored("custom", "a bit in the header", flipped(0.002)),
  stored("custom", "a bit in the middle", flipped(0.5)),
  stored("custom", "a bit near the end", flipped(0.98, 6)),
  stored("custom", "4096 zeros", zeroed(0.4, 4_096)),
  stored("custom", "cut to a third", truncated(0.33)),
  stored("custom", "a stretch missing", excised(0.6, 1_000)),
  stored("custom", "halves swapped", swappedHalves),
  stored("custom", "random bytes", replaced(randomBytesOf(40_000))),
];

function randomBytesOf(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let seed = 7;
  for (let at = 0; at < length; at++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = seed >>> 16;
  }
  return bytes;
}

const resummedPlain: readonly Case[] = [
  resummed("plain", "no bytes", "integrity", truncated(0)),
  resummed("plain", "cut in half", "integrity", truncated(0.5)),
  resummed("plain", "cut behind a row", "integrity", cutInRows("lib.books", 0.5)),
  resummed("plain", "cut behind the first row", "integrity", cutInRows("lib.pages", 0)),
  resummed(
    "plain",
    "cut before the indexes",
    "integrity",
    text((sql) => sql.slice(0, sql.indexOf("ADD CONSTRAINT"))),
  ),
  resummed(
    "plain",
    "no end marker",
    "integrity",
    passage(/--\n-- PostgreSQL database dump complete[\s\S]*$/, ""),
  ),
  resummed(
    "plain",
    "bytes of NUL in the rows",
    "integrity",
    rowsOf("lib.books", (rows) =>
      rows.map((row, at) => (at === 700 ? `${row.slice(0, 5)}\0${row.slice(6)}` : row)),
    ),
  ),
  resummed("plain", "zeros over a block", "integrity", zeroed(0.5, 4_096)),
  resummed(
    "plain",
    "line ends of Windows",
    "integrity",
    text((sql) => sql.replaceAll("\n", "\r\n")),
  ),
  resummed("plain", "another encoding", "integrity", (bytes) =>
    Buffer.from(bytes.toString("utf8"), "latin1"),
  ),
  resummed("plain", "UTF-16", "integrity", (bytes) =>
    Buffer.from(`\ufeff${bytes.toString("utf8")}`, "utf16le"),
  ),
  resummed("plain", "a page of HTML", "integrity", replaced(HTML)),
  resummed("plain", "twice in a row", "integrity", twice),
  resummed(
    "plain",
    "a row gone",
    "integrity",
    rowsOf("lib.books", (rows) => rows.toSpliced(10, 1)),
  ),
  resummed(
    "plain",
    "a row twice",
    "integrity",
    rowsOf("lib.events", (rows) => rows.toSpliced(10, 0, rows[9] ?? "")),
  ),
  resummed(
    "plain",
    "a field gone from a row",
    "integrity",
    rowsOf("lib.books", (rows) =>
      rows.map((row, at) => (at === 20 ? row.slice(0, row.lastIndexOf("\t")) : row)),
    ),
  ),
  resummed(
    "plain",
    "two rows in one line",
    "integrity",
    rowsOf("lib.pages", (rows) => [`${rows[0]}${rows[1]}`, ...rows.slice(2)]),
  ),
  resummed(
    "plain",
    "all rows of a table but one gone",
    "integrity",
    rowsOf("lib.secrets", (rows) => rows.slice(0, 1)),
  ),
  resummed(
    "plain",
    "a letter in a row",
    "data",
    rowsOf("lib.pages", (rows) => rows.map((row, at) => (at === 3 ? row.replace("a", "b") : row))),
  ),
  resummed("plain", "a letter in a function", "data", passage("days * 0.10", "days * 0.20")),
  resummed(
    "plain",
    "a number of a sequence",
    "data",
    passage(/setval\('lib\.card_number', \d+/, "setval('lib.card_number', 1"),
  ),
  resummed("plain", "rows of two tables swapped", "data", swapRows),
  resummed("plain", "an index gone", "full", passage(/CREATE INDEX books_tags [^;]*;/, "")),
  resummed("plain", "a bit in a large object", "data", passage(/00ff10/, "00ff11")),
  resummed(
    "plain",
    "a large object gone",
    "data",
    passage(/SELECT pg_catalog\.lo_open\('90002'[\s\S]*?lo_close\(0\);/, ""),
  ),
  resummed("plain", "a shell command", "integrity", followedBy("\n\\! touch /tmp/never\n")),
  resummed("plain", "a command before the first statement", "integrity", (bytes) =>
    Buffer.concat([Buffer.from("\\o /tmp/never\n"), bytes]),
  ),
  resummed(
    "plain",
    "COPY from a program",
    "integrity",
    followedBy("COPY lib.empty FROM PROGRAM 'echo 1';\n"),
  ),
  resummed(
    "plain",
    "COPY to a file of the server",
    "integrity",
    followedBy("COPY lib.authors TO '/tmp/never';\n"),
  ),
];

function swapRows(bytes: Buffer): Buffer {
  const sql = bytes.toString("utf8");
  const names = ["lib.loans_2025", "lib.loans_2026"];
  const spans = names.map((table) => {
    const from = sql.indexOf("\n", sql.indexOf(`COPY ${table} `)) + 1;
    return [from, sql.indexOf("\\.\n", from)] as const;
  });
  const [[a, b] = [0, 0], [c, d] = [0, 0]] = spans;
  return Buffer.from(
    sql.slice(0, a) + sql.slice(c, d) + sql.slice(b, c) + sql.slice(a, b) + sql.slice(d),
  );
}

const resummedCustom: readonly Case[] = [
  resummed("custom", "no bytes", "integrity", truncated(0)),
  resummed("custom", "only the magic", "integrity", (bytes) => bytes.subarray(0, 5)),
  resummed("custom", "cut in the table of contents", "integrity", truncated(0.05)),
  resummed("custom", "cut in half", "integrity", truncated(0.5)),
  resummed("custom", "cut by a byte", "integrity", shortened(1)),
  resummed("custom", "cut in the last block", "integrity", shortened(200)),
  resummed("custom", "a later format", "integrity", (bytes) => {
    const made = Buffer.from(bytes);
    made[6] = 99;
    return made;
  }),
  resummed("custom", "another magic", "integrity", (bytes) => {
    const made = Buffer.from(bytes);
    made.write("PGDMQ");
    return made;
  }),
  // Inside, our custom dumps are not compressed, so a changed letter has no checksum.
  resummed("custom", "a bit in a block", "data", flipped(0.6)),
  resummed("custom", "a bit in another block", "data", flipped(0.9, 2)),
  resummed("custom", "zeros over a block", "integrity", zeroed(0.5, 2_000)),
  resummed("custom", "a stretch missing", "integrity", excised(0.7, 500)),
  resummed("custom", "halves swapped", "integrity", swappedHalves),
  resummed("custom", "twice in a row", "integrity", twice),
  resummed("custom", "bytes behind the end", "integrity", followedBy("garbage behind the end")),
  resummed("custom", "line ends of Windows", "integrity", (bytes) =>
    Buffer.from(bytes.toString("latin1").replaceAll("\n", "\r\n"), "latin1"),
  ),
  resummed("custom", "read as UTF-8 and written", "integrity", (bytes) =>
    Buffer.from(bytes.toString("utf8")),
  ),
  resummed(
    "custom",
    "a zip archive",
    "integrity",
    replaced(Buffer.concat([Buffer.from("PK\x03\x04"), randomBytesOf(500)])),
  ),
  resummed(
    "custom",
    "a file of SQLite",
    "integrity",
    replaced(Buffer.concat([Buffer.from("SQLite format 3\0"), randomBytesOf(4_080)])),
  ),
  resummed("custom", "a letter of a definition", "data", (bytes) =>
    swapBytes(bytes, "days * 0.10", "days * 0.90"),
  ),
  resummed("custom", "a letter of a default", "data", (bytes) =>
    swapBytes(bytes, "DEFAULT 'on shelf'", "DEFAULT 'lost'    "),
  ),
  resummed("custom", "a letter of an index", "full", (bytes) =>
    swapBytes(bytes, "btree (author)", "btree (price )"),
  ),
];

function swapBytes(bytes: Buffer, from: string, to: string): Buffer {
  const at = bytes.indexOf(from);
  if (at < 0 || from.length !== to.length) throw new Error(`${from} is not there`);
  const made = Buffer.from(bytes);
  made.write(to, at);
  return made;
}

/** Of the table with so many rows as large a file as any. */
async function members(backup: KeptBackup): Promise<readonly string[]> {
  const { parts } = backup.manifest;
  return parts
    .filter(({ name }) => /\d+\.dat/.test(name) && !name.includes("blob"))
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ name }) => name);
}

async function largest(backup: KeptBackup, at = 0): Promise<string> {
  const name = (await members(backup))[at];
  if (name === undefined) throw new Error("The dump has no such member.");
  return name;
}

function member(
  name: string,
  tier: Tier,
  change: (backup: KeptBackup, part: string) => Promise<void>,
): Case {
  return backupWith("directory", name, tier, async (backup) =>
    change(backup, await largest(backup)),
  );
}

const directory: readonly Case[] = [
  member("a bit of a member", "integrity", (backup, part) =>
    backup.damageStored(part, flipped(0.5)),
  ),
  member("a member cut", "integrity", (backup, part) => backup.damageStored(part, truncated(0.7))),
  member("a member of no bytes", "integrity", (backup, part) =>
    backup.damageStored(part, truncated(0)),
  ),
  stored("directory", "a bit of toc.dat", flipped(0.5)),
  stored("directory", "toc.dat cut", truncated(0.5)),
  member("a member missing, sums made right", "integrity", (backup, part) => backup.forget(part)),
  member("a member of no bytes, sums made right", "integrity", (backup, part) =>
    backup.change(part, truncated(0)),
  ),
  member("a bit of a member, sums made right", "integrity", (backup, part) =>
    backup.change(part, flipped(0.5)),
  ),
  member("a member cut, sums made right", "integrity", (backup, part) =>
    backup.change(part, truncated(0.7)),
  ),
  member("bytes behind a member, sums made right", "integrity", (backup, part) =>
    backup.change(part, followedBy("garbage")),
  ),
  member("a member's end marker gone, sums made right", "integrity", (backup, part) =>
    backup.change(
      part,
      regzipped((rows) => rows.replace(/\\\.\n\n*$/, "")),
    ),
  ),
  member("a member's rows cut behind a row, sums made right", "integrity", (backup, part) =>
    backup.change(
      part,
      regzipped((rows) => `${rows.split("\n").slice(0, 20).join("\n")}\n\\.\n\n\n`),
    ),
  ),
  member("a letter in a member, sums made right", "data", (backup, part) =>
    backup.change(
      part,
      regzipped((rows) => rows.replace("5", "6")),
    ),
  ),
  member("members of two tables swapped, sums made right", "integrity", async (backup, part) => {
    const other = await largest(backup, 1);
    const [one, two] = [await backup.content(part), await backup.content(other)];
    await backup.write(part, two);
    await backup.write(other, one);
  }),
  member("a member not compressed as the others, sums made right", "integrity", (backup, part) =>
    backup.change(part, replaced(deflateSync("1\tx\n\\.\n"))),
  ),
  backupWith("directory", "toc.dat missing, sums made right", "integrity", (backup) =>
    backup.forget("dump/toc.dat"),
  ),
  resummed("directory", "toc.dat cut", "integrity", truncated(0.8)),
  resummed("directory", "toc.dat of no bytes", "integrity", truncated(0)),
  backupWith(
    "directory",
    "the list of large objects missing, sums made right",
    "integrity",
    (backup) => backup.forget("dump/blobs.toc"),
  ),
  backupWith(
    "directory",
    "the list of large objects without one, sums made right",
    "data",
    (backup) =>
      backup.change(
        "dump/blobs.toc",
        text((list) => list.split("\n").slice(1).join("\n")),
      ),
  ),
  backupWith(
    "directory",
    "a large object missing, sums made right",
    "integrity",
    async (backup) => {
      const part = backup.manifest.parts.find(({ name }) => name.includes("blob_90001"));
      await backup.forget(part?.name ?? "");
    },
  ),
];

function regzipped(change: (rows: string) => string): Damage {
  return (bytes) => gzipSync(text(change)(gunzipSync(bytes)));
}

const whole: readonly Case[] = [
  backupWith("custom", "the dump's file missing", "integrity", async (backup) =>
    backup.remove("dump.pgdump"),
  ),
  backupWith("custom", "the fingerprint's file missing", "integrity", async (backup) =>
    backup.remove("fingerprint.json"),
  ),
  backupWith("custom", "the fingerprint damaged", "integrity", (backup) =>
    backup.damageStored("fingerprint.json", flipped(0.5)),
  ),
  backupWith("custom", "a fingerprint of half its text, sums made right", "integrity", (backup) =>
    backup.change("fingerprint.json", truncated(0.5)),
  ),
  backupWith("custom", "a manifest cut", "integrity", (backup) =>
    backup.rewriteManifest((json) => json.slice(0, json.length / 2)),
  ),
  backupWith("custom", "a manifest of no bytes", "integrity", (backup) =>
    backup.rewriteManifest(() => ""),
  ),
  backupWith("custom", "no dump in the manifest, sums made right", "integrity", (backup) =>
    backup.forget("dump.pgdump"),
  ),
  backupWith("custom", "a manifest that names another file", "integrity", (backup) =>
    backup.rewriteManifest((json) => json.replace('"dump.pgdump.zst"', '"../dump.pgdump.zst"')),
  ),
  backupWith(
    "custom",
    "the compression broken, sums of what is stored made right",
    "integrity",
    async (backup) => {
      await backup.damageStored("dump.pgdump", flipped(0.5));
      await backup.note(backup.part("dump.pgdump"));
    },
  ),
  backupWith(
    "plain",
    "the compression cut, sums of what is stored made right",
    "integrity",
    async (backup) => {
      await backup.damageStored("dump.sql", truncated(0.6));
      await backup.note(backup.part("dump.sql"));
    },
  ),
];

export const fileFaults: readonly Case[] = [
  ...storedPlain,
  ...storedCustom,
  ...resummedPlain,
  ...resummedCustom,
  ...directory,
  ...whole,
];
