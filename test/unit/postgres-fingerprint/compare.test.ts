import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  type Catalog,
  compareFingerprints,
  type PostgresFingerprint,
  type TableContent,
} from "../../../shared/postgres-fingerprint/index.ts";
import { content, fingerprint, ofVersion } from "./fingerprints.ts";

function findings(
  expected: PostgresFingerprint,
  found: PostgresFingerprint,
  tier: "data" | "full" = "full",
) {
  return compareFingerprints(expected, found, { tier }).findings.map(
    ({ weight, subject, what }) => `${weight}: ${subject}: ${what}`,
  );
}

const withTables = (tables: Record<string, TableContent>) => fingerprint({ tables });
const withCatalog = (catalog: Catalog) => fingerprint({ catalog });

const anyContent = fc.record({
  rows: fc.nat(1_000),
  bytes: fc.nat(),
  hash: fc
    .bigInt({ min: 0n, max: 2n ** 64n - 1n })
    .map((value) => value.toString(16).padStart(16, "0")),
});
const names = fc.stringMatching(/^[a-z]{1,8}$/);
const anyCatalog = fc.record({
  table: fc.dictionary(names, fc.constant("table")),
  column: fc.dictionary(names, fc.string()),
  index: fc.dictionary(names, fc.string()),
  function: fc.dictionary(names, fc.string()),
});

describe("compareFingerprints", () => {
  test("finds nothing between a fingerprint and itself, also after JSON", () => {
    fc.assert(
      fc.property(fc.dictionary(names, anyContent), anyCatalog, (tables, catalog) => {
        const one = fingerprint({ tables, catalog });
        const other = JSON.parse(JSON.stringify(one)) as PostgresFingerprint;
        expect(findings(one, other)).toEqual([]);
        expect(
          compareFingerprints(one, other, { tier: "data" }).items.every(({ same }) => same),
        ).toBe(true);
      }),
    );
  });

  test("notices whatever table has other rows or another hash, and no other", () => {
    fc.assert(
      fc.property(
        fc.dictionary(names, anyContent, { minKeys: 1 }),
        anyContent,
        fc.nat(),
        (tables, other, pick) => {
          const [name = ""] = Object.keys(tables).slice(pick % Object.keys(tables).length);
          const changed = { ...tables, [name]: other };
          const { findings: found, items } = compareFingerprints(
            withTables(tables),
            withTables(changed),
            { tier: "data" },
          );
          const isSame = tables[name]?.rows === other.rows && tables[name]?.hash === other.hash;
          expect(found.map(({ subject }) => subject)).toEqual(isSame ? [] : [`table ${name}`]);
          expect(items.filter(({ same }) => same === false).map((item) => item.name)).toEqual(
            isSame ? [] : [name],
          );
        },
      ),
    );
  });

  test("notices every entry that is missing, more or another", () => {
    fc.assert(
      fc.property(
        fc.dictionary(names, fc.string()),
        fc.dictionary(names, fc.string()),
        (before, after) => {
          const differing = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
            (name) => {
              const [was, is] = [before, after].map((one) =>
                Object.hasOwn(one, name) ? one[name] : undefined,
              );
              return was !== is;
            },
          );
          const found = compareFingerprints(
            withCatalog({ function: before }),
            withCatalog({ function: after }),
            { tier: "full" },
          );
          expect(found.findings.map(({ subject }) => subject).sort()).toEqual(
            differing.map((name) => `function ${name}`).sort(),
          );
        },
      ),
    );
  });

  test("names the first differing key range with its rows", () => {
    const parts = { column: "id", type: "int8", bounds: ["100", "200", "300"] };
    const expected = withTables({
      "public.orders": {
        ...content(400),
        parts: { ...parts, rows: [99, 100, 100, 101], hashes: ["a", "b", "c", "d"] },
      },
    });
    const found = withTables({
      "public.orders": {
        ...content(398, "ff"),
        parts: { ...parts, rows: [99, 99, 100, 100], hashes: ["a", "x", "c", "y"] },
      },
    });
    expect(findings(expected, found, "data")).toEqual([
      "damage: table public.orders: 2 rows of 400 are missing; first in the key range id from 100 to below 200: 100 rows expected, 99 found; 2 of 4 key ranges differ.",
    ]);
  });

  test.each([
    [
      { rows: [1, 2], hashes: ["a", "b"] },
      { rows: [1, 2], hashes: ["a", "c"] },
      "it has no key to say where: 1 of 2 parts by hash differ",
    ],
    [
      { column: "at", type: "date", bounds: ["2024-01-01"], rows: [1, 2], hashes: ["a", "b"] },
      { column: "at", type: "date", bounds: ["2024-01-01"], rows: [1, 2], hashes: ["c", "b"] },
      "first in the key range at below 2024-01-01: 1 row expected, 1 found; 1 of 2 key ranges differ",
    ],
    [
      { column: "at", type: "date", bounds: ["2024-01-01"], rows: [1, 2], hashes: ["a", "b"] },
      { column: "at", type: "date", bounds: ["2024-01-01"], rows: [1, 2], hashes: ["a", "c"] },
      "first in the key range at from 2024-01-01 on: 2 rows expected, 2 found; 1 of 2 key ranges differ",
    ],
  ])("says where contents differ: %j", (was, is, where) => {
    const one = withTables({ t: { ...content(3), parts: was } });
    const other = withTables({ t: { ...content(3, "bb"), parts: is } });
    expect(findings(one, other)).toEqual([
      `damage: table t: It has as many rows as it had, but they are not the same; ${where}.`,
    ]);
  });

  test("what belongs to a missing table is not told again", () => {
    const expected = fingerprint({
      tables: { "public.orders": content(7) },
      catalog: {
        table: { "public.orders": "table" },
        column: { "public.orders.id": "bigint", "public.ordersx.id": "bigint" },
        constraint: { "public.orders.orders_pkey": "PRIMARY KEY (id)" },
        index: {
          "public.orders_pkey": "CREATE UNIQUE INDEX orders_pkey ON public.orders USING btree (id)",
        },
        sequence: {
          "public.orders_id_seq": "as bigint start 1 increment 1 owned by public.orders.id",
        },
        trigger: { "public.orders.t": "CREATE TRIGGER t" },
        privileges: {
          "table public.orders": "app: select",
          "column public.orders.id": "app: select",
        },
        comment: { "table column public.orders.id": "c", "trigger t on public.orders": "c" },
        "row security": { "public.orders": "enabled" },
      },
      sequences: { "public.orders_id_seq": { last: "7", called: true } },
    });
    const found = withCatalog({ column: { "public.ordersx.id": "bigint" } });
    expect(findings(expected, found)).toEqual([
      "damage: table public.orders: It is missing, with its 7 rows.",
    ]);
  });

  test.each([
    ["7", true, "7", true, 0],
    ["7", true, "6", true, 1],
    ["7", true, "8", true, 0],
    ["7", true, "8", false, 0],
    ["7", true, "7", false, 1],
    ["1", false, "1", true, 0],
    ["9223372036854775806", true, "9223372036854775805", true, 1],
  ])(
    "a sequence at %s (%s) found at %s (%s): %i findings",
    (last, called, foundLast, foundCalled, count) => {
      const at = (state: { last: string; called: boolean }) =>
        fingerprint({
          sequences: { s: state },
          catalog: { sequence: { s: "as bigint start 1 increment 1" } },
        });
      expect(
        findings(at({ last, called }), at({ last: foundLast, called: foundCalled })),
      ).toHaveLength(count);
    },
  );

  test("a sequence that counts down is behind when it is higher", () => {
    const at = (last: string) =>
      fingerprint({
        sequences: { s: { last, called: true } },
        catalog: { sequence: { s: "as bigint start -1 increment -2" } },
      });
    expect(findings(at("-9"), at("-7"))).toHaveLength(1);
    expect(findings(at("-7"), at("-9"))).toHaveLength(0);
  });

  test("rows in another encoding, or of other columns, are not called damaged", () => {
    const { database } = fingerprint();
    const tables = { t: content(3) };
    const other = fingerprint({
      tables: { t: content(3, "bb") },
      database: { ...database, encoding: "LATIN1" },
    });
    expect(findings(withTables(tables), other).map((line) => line.split(":")[0])).toEqual([
      "doubt",
      "doubt",
    ]);
    const wider = fingerprint({
      tables: { t: content(3, "bb") },
      catalog: { column: { "t.a": "bigint" } },
    });
    expect(
      findings(fingerprint({ tables, catalog: { column: { "t.a": "integer" } } }), wider),
    ).toEqual(['damage: column t.a: It was "integer", and is "bigint".']);
  });

  test("rows that were left out by intent are neither right nor wrong", () => {
    const left = withTables({ t: { ...content(0), unread: "excluded" as const } });
    const {
      findings: found,
      items,
      unknown,
    } = compareFingerprints(left, withTables({ t: content(0) }), { tier: "full" });
    expect(found).toEqual([]);
    expect(items).toEqual([
      { name: "t", expected: undefined, found: 0, same: undefined, bytes: 0 },
    ]);
    expect(unknown).toEqual(["Rows of t were left out of the dump by intent."]);
  });

  test("tier data tells what it does not restore, and judges a check that it does", () => {
    const expected = withCatalog({
      index: { a: "CREATE INDEX", b: "CREATE INDEX" },
      constraint: {
        "t.pk": "PRIMARY KEY (id)",
        "t.c": "CHECK (id > 0)",
        "t.later": "CHECK (id > 0) NOT VALID",
      },
    });
    const { findings: found, unknown } = compareFingerprints(expected, fingerprint(), {
      tier: "data",
    });
    expect(found.map(({ subject }) => subject)).toEqual(["constraint t.c"]);
    expect(unknown).toEqual([
      "This tier does not restore what comes after the rows, so nothing is known of it: constraint 2, index 2.",
    ]);
  });

  test.each([
    ["trigger", { "t.fk": "of the foreign key, disabled" }, "note"],
    ["index", { "t.i": "CREATE INDEX i ON t USING btree (a) INVALID" }, "note"],
    ["index", { "t.i": "CREATE INDEX i ON t USING btree (a)" }, "damage"],
  ])("what no dump holds is not missed: %s %j", (kind, entries, weight) => {
    const found = compareFingerprints(withCatalog({ [kind]: entries }), fingerprint(), {
      tier: "full",
    });
    expect(found.findings.map((finding) => finding.weight)).toEqual([weight]);
  });

  test("a materialized view that was never filled is damage only where it should be", () => {
    const was = withTables({ m: { ...content(3), passing: "materialized view" } });
    const is = withTables({
      m: { ...content(0), unread: "not populated", passing: "materialized view" },
    });
    expect(findings(was, is, "data")).toEqual([]);
    expect(findings(was, is, "full")).toEqual([
      "damage: materialized view m: It was never filled from its query.",
    ]);
    expect(findings(is, was, "full")).toEqual([]);
  });

  test("names like those of every object's own properties are names", () => {
    const named = { constructor: content(1), toString: content(2) };
    expect(findings(withTables(named), fingerprint())).toEqual([]);
    expect(findings(withCatalog({ table: { constructor: "table" } }), fingerprint())).toEqual([
      "damage: table constructor: It is missing.",
    ]);
  });
});

describe("definitions that are written otherwise", () => {
  const inList =
    "CHECK (((note)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))";
  const inListAgain =
    "CHECK (((note)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))";

  test.each([
    ["constraint", inList, inListAgain, 160000, 160000, []],
    ["constraint", inList, inListAgain.replace("'b'", "'c'"), 160000, 160000, ["damage"]],
    [
      "constraint",
      "CHECK (((a + b) * c) > 0)",
      "CHECK ((a + (b * c)) > 0)",
      160000,
      160000,
      ["damage"],
    ],
    [
      "view",
      " SELECT t.id,\n    t.name\n   FROM s.t\n  WHERE (t.id > 1);",
      " SELECT id,\n    name\n   FROM s.t\n  WHERE (id > 1);",
      150000,
      160000,
      [],
    ],
    ["view", " SELECT t.id FROM s.t;", " SELECT id FROM s.t;", 160000, 160000, ["damage"]],
    ["view", " SELECT t.id FROM s.t;", " SELECT other FROM s.t;", 150000, 160000, ["doubt"]],
    ["function", "AS $$ SELECT 'x'::text $$", "AS $$ SELECT 'x' $$", 160000, 160000, ["damage"]],
    [
      "function",
      "AS $$ SELECT t.id FROM t $$",
      "AS $$ SELECT id FROM t $$",
      150000,
      160000,
      ["damage"],
    ],
    ["privileges", "app: insert, select", "app: insert, maintain, select", 160000, 170000, []],
    [
      "privileges",
      "app: insert, select",
      "app: insert, maintain, select",
      170000,
      170000,
      ["damage"],
    ],
    [
      "extension",
      "version 1.6 in schema public",
      "version 1.8 in schema public",
      160000,
      160000,
      ["note"],
    ],
    [
      "extension",
      "version 1.6 in schema public",
      "version 1.6 in schema shop",
      160000,
      160000,
      ["damage"],
    ],
    ["type", "enum ('a', 'b')", "enum ('b', 'a')", 150000, 160000, ["damage"]],
    [
      "type",
      "domain of text CHECK ((VALUE > 'a'))",
      "domain of text CHECK ((VALUE > 'b'))",
      150000,
      160000,
      ["doubt"],
    ],
    ["column", "integer not null", "bigint not null", 150000, 160000, ["damage"]],
    ["column", "integer default (1 + 1)", "integer default 1 + 1", 150000, 160000, []],
    ["column", "integer default (1 + 1)", "integer default (1 + 2)", 150000, 160000, ["doubt"]],
    ["column", "integer default (1 + 1)", "bigint default 1 + 1", 150000, 160000, ["damage"]],
    ["constraint", "PRIMARY KEY (a)", "PRIMARY KEY (b)", 150000, 160000, ["damage"]],
    ["role", "login superuser", "login", 160000, 160000, ["note"]],
    ["comment", "one", "two", 160000, 160000, ["note"]],
  ] as const)("%s: %s and %s, %i and %i: %j", (kind, was, is, from, to, weights) => {
    const before = ofVersion(from, { [kind]: { x: was } });
    const after = ofVersion(to, { [kind]: { x: is } });
    const found = compareFingerprints(before, after, { tier: "full" }).findings;
    expect(found.filter(({ subject }) => subject !== "server").map(({ weight }) => weight)).toEqual(
      weights,
    );
  });

  test("shows where long definitions begin to differ", () => {
    const before = withCatalog({ function: { f: `${"x".repeat(1_000)}OLD${"y".repeat(1_000)}` } });
    const after = withCatalog({ function: { f: `${"x".repeat(1_000)}NEW${"y".repeat(1_000)}` } });
    const [finding] = compareFingerprints(before, after, { tier: "full" }).findings;
    expect(finding?.expected).toMatch(/^…x+OLDy+…$/);
    expect(finding?.found).toMatch(/^…x+NEWy+…$/);
  });
});

describe("privileges", () => {
  test("are notes, in one sentence, where they were restored for other roles", () => {
    const before = withCatalog({
      privileges: { "table a": "app: select", "table b": "app: select" },
    });
    const mapped = compareFingerprints(before, fingerprint(), {
      tier: "full",
      privileges: "mapped",
    });
    expect(mapped.findings).toHaveLength(1);
    expect(mapped.findings[0]?.weight).toBe("note");
    expect(mapped.findings[0]?.what).toBe(
      "2 objects have other privileges than at the source, the first being table a.",
    );
    expect(findings(before, fingerprint())).toHaveLength(2);
  });
});

test("pg_dump 14 leaves out the privileges of identity columns' sequences", () => {
  const catalog = (identity: boolean): Catalog => ({
    sequence: { "s.t_id_seq": "as integer start 1 owned by s.t.id" },
    column: { "s.t.id": identity ? "integer generated always as identity" : "integer" },
    privileges: { "sequence s.t_id_seq": "ann: usage" },
  });
  const weight = (version: number, identity: boolean) => {
    const { privileges: _, ...without } = catalog(identity);
    const expected = ofVersion(version, catalog(identity));
    return findings(expected, ofVersion(version, without)).map((one) => one.split(":")[0]);
  };
  expect(weight(140_010, true)).toEqual(["note"]);
  expect(weight(140_010, false)).toEqual(["damage"]);
  expect(weight(150_004, true)).toEqual(["damage"]);
});

test("rows of an extension's table are missed where no entry of the catalog tells of it", () => {
  const systems = { ...content(2), extension: "places" };
  expect(findings(withTables({ "public.systems": systems }), withTables({}))).toEqual([
    "damage: table public.systems: It is missing, with its 2 rows: the extension places is not there, or does not make it.",
  ]);
});
