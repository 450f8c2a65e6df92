import { describe, expect, test } from "@jest/globals";
import {
  fingerprintAgainst,
  parseExpectations,
} from "../../../shared/postgres-fingerprint/index.ts";
import { content, fingerprint } from "./fingerprints.ts";

const found = fingerprint({
  catalog: {
    table: {
      "public.orders": "table partitioned by RANGE (at)",
      "public.orders_1":
        "table partition of public.orders FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')",
      "public.orders_2": "table partition of public.orders DEFAULT",
      "shop.items": "table",
    },
    extension: {
      hstore: "version 1.8 in schema public",
      '"uuid-ossp"': "version 1.1 in schema public",
    },
  },
  tables: {
    "public.orders_1": content(10),
    "public.orders_2": content(5),
    "shop.items": content(3),
  },
});

describe("fingerprintAgainst", () => {
  test.each([
    ["tables: {orders: 15}", []],
    [
      "tables: {public.orders: 16}",
      [
        "damage table public.orders: It has fewer rows than were declared. (at least 16 rows, 15 rows)",
      ],
    ],
    [
      "tables: {shop.items: {max-rows: 2}}",
      ["damage table shop.items: It has more rows than were declared. (0 to 2 rows, 3 rows)"],
    ],
    ["tables: {shop.items: {rows: 3}}", []],
    [
      "tables: {shop.items: {rows: 4}}",
      ["damage table shop.items: It has fewer rows than were declared. (4 rows, 3 rows)"],
    ],
    [
      "tables: [shop.items, items]",
      [
        "damage table public.items: It was declared to be there, and is missing. (at least 0 rows, undefined)",
      ],
    ],
    ["extensions: [hstore, uuid-ossp]", []],
    [
      "extensions: [postgis]",
      [
        "damage extension postgis: It was declared to be there, and is missing. (undefined, undefined)",
      ],
    ],
    [
      "extensions: {hstore: '1.7'}",
      ["damage extension hstore: It is there in another version. (version 1.7, version 1.8)"],
    ],
  ])("%s", (yaml, expected) => {
    const { findings } = fingerprintAgainst(parseExpectations(yaml), found, { tier: "data" });
    expect(
      findings.map(
        (one) => `${one.weight} ${one.subject}: ${one.what} (${one.expected}, ${one.found})`,
      ),
    ).toEqual(expected);
  });

  test("a schema is compared, and what stays unknown is said", () => {
    const schema = fingerprint({
      catalog: {
        table: { ...found.catalog.table, "public.lost": "table" },
        extension: found.catalog.extension ?? {},
      },
    });
    const { findings, unknown } = fingerprintAgainst(
      parseExpectations("tables: {orders: 1}"),
      found,
      { tier: "full", schema },
    );
    expect(findings.map(({ subject }) => subject)).toEqual(["table public.lost"]);
    expect(unknown).toEqual([
      "There is no fingerprint of the source: whether rows are those that were there cannot be told, only how many there are.",
      "Numbers of rows were declared for 1 tables, and 3 are there; of the others none is known.",
      "Sequences and large objects were held against nothing.",
    ]);
  });
});

describe("parseExpectations", () => {
  test.each([
    ["- a", "there is no map with `tables`, `extensions` or `schema-file`"],
    ["tabels: {}", "`tabels` is unknown"],
    ["tables: {a: {row: 1}}", "`tables.a.row` is unknown"],
    [
      "tables: {a: -1, b: many}",
      "`tables.a` is no number of rows; `tables.b` is no number of rows",
    ],
    ["tables: {a: {min-rows: 5, max-rows: 4}}", "`tables.a` has a maximum below its minimum"],
    ["tables: 3", "`tables` is neither a list nor a map"],
    ["extensions: 3", "`extensions` is neither a list nor a map"],
    ["schema-file: [a]", "`schema-file` is no path"],
    ["tables: {a: [}", "line 1 is no YAML"],
  ])("%s: %s", (yaml, problem) => {
    expect(() => parseExpectations(yaml)).toThrow(problem);
  });
});
