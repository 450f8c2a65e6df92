import { describe, expect, it } from "@jest/globals";
import { seriousComplaints } from "../../../actions/restore-database/postgres/foreign/complaints.ts";
import {
  asSql,
  rolesIn,
  sequenceSetIn,
} from "../../../actions/restore-database/postgres/foreign/contents.ts";
import { localeIn } from "../../../actions/restore-database/postgres/foreign/read-contents.ts";

describe("roles in statements", () => {
  it.each([
    ["GRANT SELECT ON TABLE app.orders TO reader", ["reader"]],
    ['GRANT ALL ON SCHEMA app TO "Odd Name", writer', ['"Odd Name"', "writer"]],
    ['ALTER TABLE app.orders OWNER TO "plain"', ["plain"]],
    ["REVOKE USAGE ON SCHEMA public FROM PUBLIC", []],
    ["GRANT SELECT ON app.t TO Reader WITH GRANT OPTION", ["reader"]],
    [
      "ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA s GRANT SELECT ON TABLES TO reader",
      ["app", "reader"],
    ],
  ])("%s", (statement, roles) => {
    expect([...rolesIn(statement)].sort()).toEqual([...roles].sort());
  });
});

describe("names as SQL has them", () => {
  it.each([
    ["orders", "orders"],
    ["Orders", '"Orders"'],
    ['a"b', '"a""b"'],
    ["uuid-ossp", '"uuid-ossp"'],
  ])("%s", (name, sql) => {
    expect(asSql(name)).toBe(sql);
  });
});

describe("sequences", () => {
  it("stand where their statement sets them", () => {
    expect(sequenceSetIn("SELECT pg_catalog.setval('app.orders_id_seq', 3000, true);\n")).toEqual({
      sequence: "app.orders_id_seq",
      last: "3000",
      called: true,
    });
    expect(sequenceSetIn(`SELECT pg_catalog.setval('"O''x"', -1, false);`)).toEqual({
      ...{ sequence: `"O'x"`, last: "-1", called: false },
    });
    expect(sequenceSetIn("SELECT 1")).toBeUndefined();
  });
});

describe("complaints", () => {
  it.each([
    ['pg_restore: error: could not execute query: ERROR:  role "reader" does not exist', []],
    ['ERROR:  unrecognized configuration parameter "transaction_timeout"', []],
    ['psql:<stdin>:7: ERROR:  schema "public" already exists', []],
    [
      'pg_restore: error: could not execute query: ERROR:  could not create unique index "a"',
      ['could not create unique index "a"'],
    ],
    [
      "pg_restore: error: could not read from input file: end of file",
      ["could not read from input file: end of file"],
    ],
    ["pg_restore: warning: errors ignored on restore: 1", []],
  ])("%s", (text, expected) => {
    expect(seriousComplaints(text)).toEqual(expected);
  });
});

describe("the locale of a database", () => {
  it.each([
    [
      "CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C.UTF-8';",
      { encoding: "UTF8", provider: "libc", collate: "C.UTF-8", ctype: "C.UTF-8" },
    ],
    [
      "CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de-DE';",
      { encoding: "UTF8", provider: "icu", collate: "C", ctype: "C", locale: "de-DE" },
    ],
    ["", undefined],
  ])("%s", (definition, expected) => {
    expect(localeIn(definition)).toEqual(expected);
  });
});
