import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Tier } from "../../shared/proof/index.ts";
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

/** The source has something that a restore finds hard, and backup-database backs it up as it is. */
function having(
  name: string,
  format: Form,
  sql: string,
  { tier = "full" }: { readonly tier?: Tier } = {},
): Case {
  return {
    ...{ name, format, level: "source", harms: false, tier },
    arrange: async (scene, folder) => {
      const storage = join(folder, "storage");
      await scene.changed(sql, (database) =>
        scene.backUp({ source: scene.server.url(database), format }, storage),
      );
      return { storage, name: "library" };
    },
  };
}

const GRANTED_ON = `
GRANT USAGE ON SCHEMA lib TO corpus_owner;
GRANT SELECT ON lib.books TO corpus_owner WITH GRANT OPTION;
SET ROLE corpus_owner;
GRANT SELECT ON lib.books TO corpus_app`;

const LAST = `
CREATE FUNCTION lib.told() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER told ON ddl_command_end EXECUTE FUNCTION lib.told();
ALTER EVENT TRIGGER told DISABLE;
COMMENT ON EVENT TRIGGER told IS 'asleep';
CREATE PUBLICATION everything FOR ALL TABLES;
COMMENT ON PUBLICATION everything IS 'it''s all'`;

const OF_SUPERUSERS = `
CREATE FUNCTION lib.same(int, int) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE OPERATOR lib.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = lib.same);
CREATE FUNCTION lib.tight(int) RETURNS bool LANGUAGE sql IMMUTABLE LEAKPROOF AS 'SELECT true';
CREATE CAST (oid AS date) WITHOUT FUNCTION;
CREATE CAST (int AS text) WITH INOUT AS IMPLICIT;
COMMENT ON CAST (int AS text) IS 'as it was in 8.2';
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO corpus_reader;
REVOKE EXECUTE ON FUNCTION citext_hash(citext) FROM PUBLIC;
COMMENT ON SCHEMA public IS 'ours'`;

const ODD_NAMES = `
CREATE SCHEMA "two
lines";
CREATE TABLE "two
lines"."a.b ""c"" 'd'
e" ("x y" serial PRIMARY KEY, "generated always as (" text, "\\" int);
INSERT INTO "two
lines"."a.b ""c"" 'd'
e" ("\\") SELECT generate_series(1, 30);
CREATE TABLE lib."__proto__" ("constructor" int PRIMARY KEY);
INSERT INTO lib."__proto__" VALUES (1)`;

const AT_THE_EDGES = `
CREATE SEQUENCE lib.round MAXVALUE 3 CYCLE; SELECT nextval('lib.round') FROM generate_series(1, 5);
CREATE SEQUENCE lib.used_up MAXVALUE 2; SELECT nextval('lib.used_up') FROM generate_series(1, 2);
CREATE SEQUENCE lib.down INCREMENT -1; SELECT nextval('lib.down');
ALTER TABLE lib.events ADD CONSTRAINT unproven CHECK (line <> 'event 3') NOT VALID;
CREATE TABLE lib.extremes (id int PRIMARY KEY, f float8, n numeric, t timestamptz, d date, i interval, r text);
INSERT INTO lib.extremes VALUES (1, 'NaN', 'Infinity', 'infinity', '4713-11-24 BC', '-178000000 years', '\\.'),
  (2, -0.0, 'NaN', '-infinity', '5874897-12-31', '0.000001 s', E'\\r\\n'), (3, 4.9e-324, 1.100, NULL, 'infinity', '1 mon -1 day', ''),
  (4, 0.1::float8 + 0.2, -0.0, NULL, NULL, NULL, E'\\x0b\\x08')`;

const SETTINGS = `DO $$ BEGIN ${Object.entries({
  bytea_output: "escape",
  intervalstyle: "sql_standard",
  extra_float_digits: "-5",
  client_encoding: "latin1",
  statement_timeout: "50ms",
  idle_in_transaction_session_timeout: "100ms",
  default_transaction_read_only: "on",
  search_path: "lib",
  quote_all_identifiers: "on",
})
  .map(
    ([name, to]) =>
      `EXECUTE format('ALTER DATABASE %I SET ${name} = %L', current_database(), '${to}');`,
  )
  .join(" ")} END $$`;

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
  having("privileges that others than the owner granted", "custom", GRANTED_ON),
  having("privileges that others than the owner granted, in SQL", "plain", GRANTED_ON),
  having("an event trigger that is disabled, comments on what comes last", "custom", LAST),
  having("an event trigger that is disabled, and comments, in SQL", "plain", LAST),
  having("what only a superuser can make", "custom", OF_SUPERUSERS),
  having("what only a superuser can make, in SQL", "plain", OF_SUPERUSERS),
  having("names with line ends, quotes and dots", "custom", ODD_NAMES),
  having("names with line ends, quotes and dots, in SQL", "plain", ODD_NAMES),
  having("sequences and values at their edges", "directory", AT_THE_EDGES),
  having(
    "a view that needs a key, without keys",
    "plain",
    "CREATE VIEW lib.grouped AS SELECT id, title, count(*) FROM lib.books GROUP BY id",
    { tier: "data" },
  ),
  having("settings that change how values are written", "custom", SETTINGS),
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
