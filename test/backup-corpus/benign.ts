import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { passage } from "./bytes.ts";
import type { Case, Format } from "./case.ts";
import type { KeptBackup } from "./kept-backup.ts";
import type { Base } from "./scene.ts";

type Form = Extract<Base, Format>;

/** Another backup of the same state in a way that changes nothing of what is restored. */
function benign(
  name: string,
  format: Form,
  level: Case["level"],
  change: (backup: KeptBackup) => Promise<void>,
): Case {
  return {
    ...{ name, format, level, harms: false, tier: "full" },
    arrange: async (scene, folder) => {
      const backup = await scene.copy(format, folder);
      await change(backup);
      return backup.inputs;
    },
  };
}

/** The source was worked on, and holds what it held. */
function source(name: string, sql: string): Case {
  return {
    ...{ name, format: "custom", level: "source", harms: false, tier: "full" },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("custom", folder);
      const dump = await scene.changed(sql, (database) => scene.dump(database, ["-Fc"]));
      await backup.write("dump.pgdump", dump);
      return backup.inputs;
    },
  };
}

/** The dump was made with other options, which lose nothing. */
function options(name: string, format: "custom" | "plain", ...given: readonly string[]): Case {
  return {
    ...{ name, format, level: "dump", harms: false, tier: "full" },
    arrange: async (scene, folder) => {
      const backup = await scene.copy(format, folder);
      const [part, form] = format === "plain" ? ["dump.sql", "-Fp"] : ["dump.pgdump", "-Fc"];
      await backup.write(part, await scene.dump("library", [form, ...given]));
      return backup.inputs;
    },
  };
}

/** backup-database itself was asked for another form. */
function taken(
  name: string,
  format: Form,
  inputs: Readonly<Record<string, string>>,
  keys: Readonly<Record<string, string>> = {},
): Case {
  return {
    ...{ name, format, level: "file", harms: false, tier: "full" },
    arrange: async (scene, folder) => {
      const storage = join(folder, "storage");
      await scene.backUp({ source: scene.server.url("library"), ...inputs }, storage);
      return { storage, name: "library", ...keys };
    },
  };
}

const AGAIN = `
CREATE TEMP TABLE kept AS SELECT * FROM lib.events ORDER BY random();
TRUNCATE lib.events;
INSERT INTO lib.events SELECT * FROM kept`;

export const benignDifferences: readonly Case[] = [
  benign("nothing at all", "custom", "file", async () => {}),
  benign("nothing at all", "plain", "file", async () => {}),
  benign("nothing at all", "directory", "file", async () => {}),
  source("a dump of the same state, taken later", "SELECT 1"),
  source("rows in another order", AGAIN),
  source("rows written again", "UPDATE lib.books SET note = note; UPDATE lib.loans SET fee = fee"),
  source(
    "dead rows",
    "INSERT INTO lib.empty SELECT generate_series(1, 500); DELETE FROM lib.empty",
  ),
  source("VACUUM FULL", "VACUUM FULL"),
  source("statistics", "ANALYZE"),
  source("a table clustered", "CLUSTER lib.books USING books_pkey"),
  source("indexes built anew", "REINDEX SCHEMA lib"),
  source("a materialized view filled anew", "REFRESH MATERIALIZED VIEW lib.shelf"),
  source("another owner", "ALTER TABLE lib.books OWNER TO corpus_owner"),
  source("contents of an unlogged table", "DELETE FROM lib.scratch"),
  source(
    "another time zone of the database",
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Asia/Kathmandu'); END $$",
  ),
  source(
    "another style of dates of the database",
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET datestyle = %L', current_database(), 'German'); END $$",
  ),
  options("--no-owner", "custom", "--no-owner"),
  options("--compress=0", "custom", "--compress=0"),
  options("--compress=9", "custom", "--compress=9"),
  // What is lost is documentation, and told as a note.
  options("--no-comments", "custom", "--no-comments"),
  options(
    "--no-tablespaces, --no-toast-compression",
    "custom",
    "--no-tablespaces",
    "--no-toast-compression",
  ),
  options("--load-via-partition-root", "custom", "--load-via-partition-root"),
  options("--quote-all-identifiers", "custom", "--quote-all-identifiers"),
  options("--no-unlogged-table-data", "custom", "--no-unlogged-table-data"),
  options("--inserts", "plain", "--inserts"),
  options(
    "--column-inserts --rows-per-insert",
    "plain",
    "--column-inserts",
    "--rows-per-insert=100",
  ),
  options("--use-set-session-authorization", "plain", "--use-set-session-authorization"),
  options("--serializable-deferrable", "custom", "--serializable-deferrable"),
  benign("another minor version in the header", "plain", "file", (backup) =>
    backup.change(
      "dump.sql",
      passage(/Dumped from database version \S+/, "Dumped from database version 15.2"),
    ),
  ),
  benign("comments in the header", "plain", "file", (backup) =>
    backup.change(
      "dump.sql",
      passage(
        "-- PostgreSQL database dump\n",
        "-- PostgreSQL database dump\n-- of the night, by cron\n",
      ),
    ),
  ),
  benign("zstd in several frames", "custom", "file", async (backup) => {
    const content = await backup.content("dump.pgdump");
    const half = content.length >> 1;
    const frames = [content.subarray(0, half), content.subarray(half)].map((part) =>
      zstdCompressSync(part),
    );
    await writeFile(backup.path("dump.pgdump"), Buffer.concat(frames));
    await backup.note(backup.part("dump.pgdump"));
  }),
  benign("members compressed once more by another gzip", "directory", "file", async (backup) => {
    for (const { name } of backup.manifest.parts.filter((part) =>
      /\/\d+\.dat\.gz$/.test(part.name),
    ))
      await backup.change(name, (bytes) => gzipSync(gunzipSync(bytes), { level: 1 }));
  }),
  benign("parts in another order in the manifest", "directory", "file", (backup) =>
    backup.sign({ parts: backup.manifest.parts.toReversed() }),
  ),
  benign("an unrelated file beside", "custom", "file", async (backup) => {
    await writeFile(join(backup.folder, "README.txt"), "Kept by the night job.\n");
    await writeFile(join(backup.storage, "notes.txt"), "Other things.\n");
  }),
  benign("files of other programs beside the series", "custom", "file", async (backup) => {
    await mkdir(join(backup.storage, "library", "lost+found"));
  }),
  benign("a younger backup that was never finished", "custom", "file", async (backup) => {
    const folder = join(backup.folder, "..", "29991231T235959Z-abcdef");
    await mkdir(folder);
    await writeFile(join(folder, "dump.pgdump.zst"), "half");
  }),
  {
    ...{
      name: "moved to another storage",
      format: "custom",
      level: "file",
      harms: false,
      tier: "full",
    },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("custom", folder);
      const storage = join(folder, "elsewhere, übers Meer");
      await rename(backup.storage, storage);
      return { ...backup.inputs, storage };
    },
  },
  taken("compressed by gzip", "custom", { compression: "gzip" }),
  taken("not compressed", "plain", { compression: "none", format: "plain" }),
  taken(
    "encrypted by a passphrase",
    "custom",
    { encryption: "openssl", passphrase: "a long one" },
    { passphrase: "a long one" },
  ),
  taken("one job in place of two", "directory", { format: "directory", jobs: "1" }),
];
