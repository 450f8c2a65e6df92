import { describe, expect, test } from "@jest/globals";
import { readFingerprint } from "../../../shared/postgres-fingerprint/index.ts";
import { content, fingerprint } from "./fingerprints.ts";

const whole = fingerprint({
  catalog: { table: { t: "table" } },
  tables: {
    t: {
      ...content(3),
      parts: { column: "id", type: "int8", bounds: ["2"], rows: [1, 2], hashes: ["a", "b"] },
    },
  },
  sequences: { s: { last: "-7", called: true } },
  heartbeat: { of: "t.at", value: null, secondsOld: null },
});

describe("readFingerprint", () => {
  test("takes what was kept", () => {
    expect(readFingerprint(JSON.parse(JSON.stringify(whole)))).toEqual(whole);
  });

  test.each([
    [null, "is no map"],
    [[], "is no map"],
    [{}, 'has no "schema": 1'],
    [{ ...whole, schema: 2 }, "has the form 2"],
    [{ ...whole, tables: [] }, 'has "tables", which is no map'],
    [
      { ...whole, tables: { t: { ...content(3), hash: "" } } },
      'has "tables", which has "t", which has "hash", which is no hash',
    ],
    [{ ...whole, tables: { t: { ...content(3), rows: -1 } } }, "is no count"],
    [
      { ...whole, tables: { t: { ...content(3), parts: { rows: [1], hashes: [] } } } },
      "has not as many hashes as parts",
    ],
    [{ ...whole, sequences: { s: { last: "x", called: true } } }, "is no number"],
    [{ ...whole, catalog: { table: { t: 3 } } }, "is no text"],
    [{ ...whole, excluded: [3] }, "has an entry 1 that is no text"],
    [{ ...whole, server: undefined }, 'has "server", which is no map'],
  ])("refuses %j", (value, words) => {
    expect(() => readFingerprint(value)).toThrow(words);
  });
});
