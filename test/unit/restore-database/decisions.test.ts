import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { lostSeconds } from "../../../actions/restore-database/outcome.ts";
import {
  type DatabaseProperties,
  likeBefore,
} from "../../../actions/restore-database/postgres/databases.ts";
import { demandsOf } from "../../../actions/restore-database/postgres/demands.ts";
import { commentOn } from "../../../actions/restore-database/postgres/left-overs.ts";
import { missingRoles } from "../../../actions/restore-database/postgres/missing-roles.ts";
import { nameBeside } from "../../../actions/restore-database/postgres/names.ts";
import { requireTypedRight } from "../../../actions/restore-database/postgres/occupied.ts";
import { chooseDatabase } from "../../../actions/restore-database/postgres/physical/choose-database.ts";
import { recoveryFolder } from "../../../actions/restore-database/postgres/physical/recovery-folder.ts";
import { columnDifference } from "../../../actions/restore-database/postgres/tables/chosen-tables.ts";
import {
  asideStatements,
  backStatements,
} from "../../../actions/restore-database/postgres/tables/table-facts.ts";
import { markOf, readMark } from "../../../actions/restore-database/postgres/unfinished.ts";
import { seriesBefore } from "../../../actions/restore-database/series-before.ts";

describe("names of databases beside", () => {
  const id = "20261122T011705Z-3f9a1c";

  it.each([
    ["papers", "papers_restoring_20261122t011705z3f9a1c"],
    ["a".repeat(26), `${"a".repeat(26)}_restoring_20261122t011705z3f9a1c`],
  ])("%s", (database, expected) => {
    expect(nameBeside(database, "restoring", id)).toBe(expected);
  });

  it("are no longer than PostgreSQL keeps, and differ as the databases' names do", () => {
    const name = fc.string({ minLength: 1, maxLength: 80, unit: "grapheme" });
    fc.assert(
      fc.property(name, name, (one, other) => {
        const beside = nameBeside(one, "restoring", id);
        expect(Buffer.byteLength(beside)).toBeLessThanOrEqual(63);
        if (one !== other) expect(beside).not.toBe(nameBeside(other, "restoring", id));
      }),
    );
  });

  it("begin as those of every restore of the same database do", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 80 }), (database) => {
        const beginning = nameBeside(database, "restoring", "");
        expect(nameBeside(database, "restoring", id).startsWith(beginning)).toBe(true);
      }),
    );
  });
});

describe("the mark of a restore in place", () => {
  it("is read as it was written, whatever the database's own comment", () => {
    const unfinished = fc.record({
      since: fc.constant("2026-11-22T03:00:00.000Z"),
      previousBackup: fc.option(fc.string(), { nil: undefined }),
      comment: fc.option(fc.string(), { nil: null }),
    });
    fc.assert(
      fc.property(unfinished, (mark) => {
        expect(readMark(markOf(mark))).toEqual(mark);
      }),
    );
  });

  it.each([
    [null, undefined],
    ["the papers", undefined],
    [
      "Seaworthy restores this database in place: edited",
      { since: "an unknown time", previousBackup: undefined, comment: null },
    ],
  ])("%s", (comment, expected) => {
    expect(readMark(comment)).toEqual(expected);
  });

  it("is a comment that no text breaks out of", () => {
    expect(commentOn('pa"pers', "it's")).toBe(`COMMENT ON DATABASE "pa""pers" IS 'it''s'`);
    expect(commentOn("papers", null)).toContain("IS NULL");
  });
});

describe("roles that are missing", () => {
  it.each<[string[], string[], string[]]>([
    [["app", '"app-owner"'], ["app", '"app-owner"', "postgres"], []],
    [["app", '"app-owner"'], ["postgres", "app"], ['"app-owner"']],
    [["pg_read_all_data"], [], []],
    [["app", "app"], [], ["app"]],
  ])("%j at a server with %j: %j", (wanted, there, missing) => {
    expect(missingRoles(wanted, there)).toEqual(missing);
  });
});

describe("the series of what was replaced", () => {
  it.each([
    [{ name: "papers" }, "papers-before-restore"],
    [{ replace: "Papers DB" }, "papers-db-before-restore"],
    [{ database: "papers" }, "papers-before-restore"],
    [{}, "target-before-restore"],
  ])("%j", (given, expected) => {
    const options = { name: undefined, replace: undefined, database: undefined, ...given };
    expect(seriesBefore(options)).toBe(expected);
  });

  it("is a name of a series, whatever the database is called", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 90 }), (replace) => {
        const name = seriesBefore({ name: undefined, replace, database: undefined });
        expect(name).toMatch(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/);
      }),
    );
  });
});

describe("a name that was typed", () => {
  it("is the target's, or was not typed", () => {
    expect(() => requireTypedRight("papers", { replace: undefined })).not.toThrow();
    expect(() => requireTypedRight("papers", { replace: "papers" })).not.toThrow();
    expect(() => requireTypedRight("papers", { replace: "Papers" })).toThrow(/"Papers"/);
  });
});

describe("what is lost", () => {
  it.each([
    [1_000_000, 4_600_000, 3_600],
    [5_000, 4_000, 0],
    [undefined, 4_000, undefined],
  ])("%s at %d: %s s", (moment, now, expected) => {
    expect(lostSeconds({ moment }, now)).toBe(expected);
  });
});

describe("the database that is meant", () => {
  it.each<[string[], string | undefined, string, string]>([
    [["papers", "postgres", "shop"], undefined, "shop", "shop"],
    [["papers", "postgres"], undefined, "drill", "papers"],
    [["papers", "postgres", "shop"], "papers", "drill", "papers"],
    [["postgres"], undefined, "postgres", "postgres"],
  ])("of %j, %s for %s", (there, named, target, expected) => {
    expect(chooseDatabase(there, { named, target })).toBe(expected);
  });

  it.each([
    [["papers", "postgres", "shop"], undefined, "drill"],
    [["papers", "postgres"], "shop", "papers"],
    [[], undefined, "papers"],
    [["postgres"], undefined, "papers"],
  ])("of %j, %s for %s is not clear", (there, named, target) => {
    expect(() => chooseDatabase(there, { named, target })).toThrow(/none of the databases/);
  });
});

describe("the programs that recover", () => {
  it.each([
    [{ postgresBin: "/p" }, "/p"],
    [{ postgresBin: "/p", pod: "statefulset/db" }, undefined],
    [{ postgresBin: "/p", recoveryBin: "/r", pod: "statefulset/db" }, "/r"],
    [{}, undefined],
  ])("%j", (given, expected) => {
    const options = { postgresBin: undefined, recoveryBin: undefined, pod: undefined, ...given };
    expect(recoveryFolder(options)).toBe(expected);
  });
});

const PROPERTIES: DatabaseProperties = {
  ...{ owner: "owner", encoding: "UTF8", collate: "C", ctype: "C", tablespace: "pg_default" },
  ...{ connectionLimit: -1, privileges: undefined, settings: [], comment: null },
};

describe("the properties of the former database", () => {
  it("are none where it had none", () => {
    expect(likeBefore("papers", PROPERTIES)).toEqual([]);
  });

  it("are settings, lists among them, its limit and its privileges", () => {
    const statements = likeBefore("papers", {
      ...PROPERTIES,
      connectionLimit: 5,
      settings: [
        { role: "", name: "search_path", value: 'app, "$user"' },
        { role: "Odd", name: "app.note", value: "it's" },
      ],
      privileges: [
        { grantee: "", privilege: "CONNECT", grantable: false },
        { grantee: "reader", privilege: "TEMPORARY", grantable: true },
      ],
    });
    expect(statements).toEqual([
      'ALTER DATABASE "papers" CONNECTION LIMIT 5',
      'ALTER DATABASE "papers" SET "search_path" TO app, "$user"',
      `ALTER ROLE "Odd" IN DATABASE "papers" SET "app"."note" TO 'it''s'`,
      'REVOKE ALL ON DATABASE "papers" FROM PUBLIC',
      'REVOKE ALL ON DATABASE "papers" FROM "owner"',
      'GRANT CONNECT ON DATABASE "papers" TO PUBLIC',
      'GRANT TEMPORARY ON DATABASE "papers" TO "reader" WITH GRANT OPTION',
    ]);
  });
});

describe("tables", () => {
  const column = (name: string, type: string, isGenerated = false) => ({ name, type, isGenerated });

  it.each([
    [[column("a", "integer")], [column("a", "integer")], undefined],
    [[column("a", "integer")], [column("a", "bigint")], "column a was integer and is bigint"],
    [[column("a", "integer")], [], "the target has no column a (integer)"],
    [[], [column("b", "text")], "the backup has no column b (text)"],
    [
      [column("a", "text", true)],
      [column("a", "text")],
      "column a was text, generated and is text",
    ],
  ])("%j at a target with %j: %s", (backup, target, expected) => {
    expect(columnDifference(backup, target)).toBe(expected);
  });

  it("have their keys and triggers put aside and back", () => {
    const facts = {
      foreignKeys: [
        { table: "a", name: "fk", definition: "FOREIGN KEY (x) REFERENCES b(id)", comment: "it's" },
      ],
      triggers: [{ table: "a", name: "t", enabled: "A" }],
    };
    expect(asideStatements(facts)).toEqual([
      "ALTER TABLE a DROP CONSTRAINT fk",
      "ALTER TABLE a DISABLE TRIGGER t",
    ]);
    expect(backStatements(facts)).toEqual([
      "ALTER TABLE a ENABLE ALWAYS TRIGGER t",
      "ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (x) REFERENCES b(id)",
      "COMMENT ON CONSTRAINT fk ON a IS 'it''s'",
    ]);
  });
});

describe("what a dump needs of a server", () => {
  it("is told by its fingerprint", () => {
    const database = {
      ...{ name: "papers", owner: "owner", bytes: 0, encoding: "UTF8", collate: "C", ctype: "C" },
      ...{ provider: "libc", locale: null, collationVersion: null, actualCollationVersion: null },
    };
    const demands = demandsOf({
      ...{ schema: 1, taken: "2026-11-22T00:00:00Z", tables: {}, sequences: {}, excluded: [] },
      server: { version: "16.4", versionNumber: 160004, standby: false, wal: null, replayed: null },
      database,
      largeObjects: { count: 0, bytes: 0, hash: "0", owners: {} },
      catalog: {
        extension: { hstore: "1.8" },
        role: { '"odd-Role"': "" },
        owner: { "table a": "app", "table b": "app" },
      },
    });
    expect(demands).toEqual({
      ...{ version: "16.4", extensions: ["hstore"], roles: ['"odd-Role"'], owners: ["app"] },
      ...{ databaseOwner: "owner", locale: database },
    });
  });
});
