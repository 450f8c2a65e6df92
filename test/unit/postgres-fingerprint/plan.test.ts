import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { piecesOf, type Reading } from "../../../shared/postgres-fingerprint/contents.ts";
import { rowHash } from "../../../shared/postgres-fingerprint/row-hash.ts";
import { Selection } from "../../../shared/postgres-fingerprint/selection.ts";

function reading(qualified: string, pages: number): Reading {
  return {
    table: {
      schema: "public",
      name: qualified,
      qualified,
      kind: "table",
      unlogged: false,
      populated: true,
      pages,
      bytes: pages * 8192,
      columns: [],
      key: null,
      extension: null,
      condition: null,
    },
    division: { by: "nothing" },
  };
}

describe("piecesOf", () => {
  test("every page of every table is read exactly once, biggest pieces first", () => {
    const sizes = fc.array(fc.oneof(fc.nat(100), fc.nat(100_000), fc.nat(1_000_000)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 8 }), (pages, parallel) => {
        const pieces = piecesOf(
          pages.map((count, i) => reading(`t${i}`, count)),
          parallel,
        );
        const bytes = pieces.map((piece) => piece.bytes);
        expect(bytes).toEqual([...bytes].sort((a, b) => b - a));
        for (const [i] of pages.entries()) {
          const own = pieces.filter(({ readings }) =>
            readings.some(({ table }) => table.name === `t${i}`),
          );
          const ranges = own
            .map((piece) => piece.pages ?? { from: 0, to: undefined })
            .sort((a, b) => a.from - b.from);
          expect(ranges[0]?.from).toBe(0);
          expect(ranges.map(({ to }) => to)).toEqual([
            ...ranges.slice(1).map(({ from }) => from),
            undefined,
          ]);
        }
      }),
    );
  });

  test("one big table is divided among workers; a single worker reads it whole", () => {
    expect(piecesOf([reading("big", 1_000_000)], 2).length).toBeGreaterThan(8);
    expect(piecesOf([reading("big", 1_000_000)], 1)).toHaveLength(1);
  });
});

test("a row's hash takes every column in, numbers whole", () => {
  const sql = rowHash([
    { name: "a", type: "int8", builtIn: true },
    { name: 'B "x"', type: "text", builtIn: true },
    { name: "c", type: "geometry", builtIn: false },
  ]);
  expect(sql).toContain(">> 32");
  expect(sql).toContain('"B ""x"""');
  expect(sql).toContain(`format('%s', "c")`);
});

describe("Selection", () => {
  const catalog = {
    table: { "public.orders": "table", "shop.items": "table", '"Odd.Schema"."T.1"': "table" },
    column: {
      "public.orders.id": "bigint",
      "shop.items.id": "bigint",
      '"Odd.Schema"."T.1".id': "int",
    },
    function: { "shop.f(a public.orders)": "" },
    extension: { hstore: "version 1.8 in schema public" },
    privileges: { "table public.orders": "app: select", "schema shop": "app: usage" },
    role: { app: "" },
  };

  test("a schema left out takes all that is in it along", () => {
    const selection = new Selection({ excluded: { schemas: ["shop"], tables: [], data: [] } });
    expect(selection.catalog(catalog)).toEqual({
      table: { "public.orders": "table", '"Odd.Schema"."T.1"': "table" },
      column: { "public.orders.id": "bigint", '"Odd.Schema"."T.1".id': "int" },
      extension: catalog.extension,
      privileges: { "table public.orders": "app: select" },
      role: { app: "" },
    });
  });

  test("a table left out, with a name of its own kind", () => {
    const table = { schema: "Odd.Schema", name: "T.1" };
    const selection = new Selection({ excluded: { schemas: [], tables: [table], data: [] } });
    expect(selection.holds(table)).toBe(false);
    expect(Object.keys(selection.catalog(catalog).column ?? {})).toEqual([
      "public.orders.id",
      "shop.items.id",
    ]);
  });

  test("only some tables: what else a database has is not in the dump", () => {
    const selection = new Selection({ includedOnly: [{ schema: "public", name: "orders" }] });
    expect(Object.keys(selection.catalog(catalog))).toEqual(["table", "column"]);
    expect(selection.holdsLargeObjects).toBe(false);
  });

  test("only some schemas: functions of theirs too, but no extensions", () => {
    const selection = new Selection({ includedSchemas: ["shop"] });
    expect(selection.catalog(catalog)).toEqual({
      table: { "shop.items": "table" },
      column: { "shop.items.id": "bigint" },
      function: { "shop.f(a public.orders)": "" },
      privileges: { "schema shop": "app: usage" },
      role: { app: "" },
    });
  });
});
