import type { Tier } from "../../shared/proof/index.ts";
import type { Case } from "./case.ts";
import type { Scene } from "./scene.ts";

/** A dump made otherwise than its fingerprint says, in the custom format. */
function dumped(name: string, tier: Tier, make: (scene: Scene) => Promise<Buffer>): Case {
  return {
    ...{ name, tier, format: "custom", level: "dump", harms: true },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("custom", folder);
      await backup.write("dump.pgdump", await make(scene));
      return backup.inputs;
    },
  };
}

function withOptions(name: string, tier: Tier, ...options: readonly string[]): Case {
  return dumped(name, tier, (scene) => scene.dump("library", ["-Fc", ...options]));
}

/** The same in plain SQL, changed on its way. */
function plain(
  name: string,
  tier: Tier,
  options: readonly string[],
  change = (sql: string) => sql,
): Case {
  return {
    ...{ name, tier, format: "plain", level: "dump", harms: true },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("plain", folder);
      const dump = await scene.dump("library", options);
      await backup.write("dump.sql", Buffer.from(change(dump.toString("utf8"))));
      return backup.inputs;
    },
  };
}

function directory(name: string, tier: Tier, sql: string, ...options: readonly string[]): Case {
  return {
    ...{ name, tier, format: "directory", level: "dump", harms: true },
    arrange: async (scene, folder) => {
      const backup = await scene.copy("directory", folder);
      await backup.replaceFolder(
        await scene.changed(sql, (database) => scene.dumpFolder(database, options)),
      );
      return backup.inputs;
    },
  };
}

const BEHIND =
  "DELETE FROM lib.loans WHERE id > 1390; DELETE FROM lib.pages WHERE id > 118; SELECT setval('lib.card_number', 1020)";

export const dumpFaults: readonly Case[] = [
  withOptions("--exclude-table of one", "data", "--exclude-table=lib.pages"),
  withOptions("--exclude-table-data of one", "integrity", "--exclude-table-data=lib.pages"),
  withOptions("--schema-only", "integrity", "--schema-only"),
  withOptions("--data-only", "data", "--data-only"),
  withOptions("no large objects", "data", "--no-blobs"),
  withOptions("only the section pre-data", "integrity", "--section=pre-data"),
  withOptions("without the section post-data", "full", "--section=pre-data", "--section=data"),
  withOptions("without the section data", "integrity", "--section=pre-data", "--section=post-data"),
  withOptions("only another schema", "data", "--schema=public"),
  withOptions("only one table", "data", "--table=lib.books"),
  withOptions("without the schema", "data", "--exclude-schema=lib"),
  withOptions("--no-privileges", "full", "--no-privileges"),
  withOptions("floats of fewer digits", "data", "--extra-float-digits=0"),
  withOptions("only an extension", "data", "--extension=citext"),
  dumped("a role that does not see all rows", "data", (scene) =>
    scene.dump("library", ["-Fc", "--enable-row-security"], "corpus_reader"),
  ),
  dumped("given up at a table with row security", "integrity", (scene) =>
    scene.dumpThatFails("library", ["-Fc"], "corpus_reader"),
  ),
  dumped("of a replica that is behind", "data", (scene) =>
    scene.changed(BEHIND, (database) => scene.dump(database, ["-Fc"])),
  ),
  dumped("of a snapshot before an update", "data", (scene) =>
    scene.changed("UPDATE lib.books SET status = 'lent' WHERE id % 100 = 0", (database) =>
      scene.dump(database, ["-Fc"]),
    ),
  ),
  dumped("of a snapshot before a migration", "data", (scene) =>
    scene.changed("ALTER TABLE lib.books RENAME note TO remark", (database) =>
      scene.dump(database, ["-Fc"]),
    ),
  ),
  dumped("of another database", "data", (scene) => scene.dump("other", ["-Fc"])),
  dumped("of an empty database", "data", (scene) => scene.dump("template1", ["-Fc"])),
  dumped("in plain SQL under the name of a custom dump, a table short", "data", (scene) =>
    scene.dump("library", ["-Fp", "--exclude-table=lib.pages"]),
  ),
  plain("--inserts with a row lost", "data", ["--inserts"], (sql) =>
    sql.replace(/INSERT INTO lib\.books VALUES \(17,.*\n/, ""),
  ),
  plain("--rows-per-insert with rows lost", "data", ["--rows-per-insert=20"], (sql) =>
    sql.replace(/INSERT INTO lib\.secrets VALUES[^;]*;\n/, ""),
  ),
  plain(
    "--inserts with ON CONFLICT, rows lost",
    "data",
    ["--inserts", "--on-conflict-do-nothing"],
    (sql) => sql.replaceAll(/INSERT INTO lib\.pages VALUES \(11\d,.*\n/g, ""),
  ),
  plain("plain, --schema-only", "integrity", ["--schema-only"]),
  plain("plain, --exclude-table of one", "data", ["--exclude-table=lib.pages"]),
  plain("plain, without large objects", "data", ["--no-blobs"]),
  directory("a directory of a replica that is behind", "data", BEHIND),
  directory("a directory without a table", "data", "SELECT 1", "--exclude-table=lib.pages"),
  directory("a directory without large objects", "data", "SELECT 1", "--no-blobs"),
];
