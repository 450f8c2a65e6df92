import { describe, expect, it } from "@jest/globals";
import type { ServerFacts } from "../../../shared/postgres/index.ts";
import { dumpFailure } from "../../../shared/postgres-dump/dump-failure.ts";
import {
  type Circumstances,
  obstaclesTo,
  obstructed,
} from "../../../shared/postgres-dump/obstacles.ts";
import type { Relation } from "../../../shared/postgres-dump/relations.ts";

const server: ServerFacts = {
  version: "16.4",
  versionNumber: 160_004,
  major: 16,
  database: "x",
  user: "backup",
  superuser: false,
  encoding: "UTF8",
  collate: "C",
  ctype: "C",
  localeProvider: "libc",
  locale: undefined,
  collationVersion: undefined,
  actualCollationVersion: undefined,
  bytes: 1,
  systemIdentifier: undefined,
  standby: undefined,
};

const relation = (parts: Partial<Relation> = {}): Relation => ({
  oid: "1",
  schema: "public",
  name: "t",
  partitionOf: null,
  kind: "r",
  unlogged: false,
  owner: "somebody",
  mayUseSchema: true,
  maySelect: true,
  filtered: false,
  forcesRowSecurity: false,
  owned: false,
  ofExtension: false,
  ...parts,
});

function circumstances(
  relations: readonly Relation[],
  parts: Partial<Circumstances> = {},
): Circumstances {
  return {
    server,
    selection: {
      relations,
      excludedSchemas: [],
      excludedTables: [],
      excludedData: [],
      includedSchemas: undefined,
      includedTables: undefined,
      holdsLargeObjects: true,
      args: [],
      problems: [],
    },
    largeObjects: { unreadable: 0, examples: [] },
    mostSecondsBehind: 300,
    ...parts,
  };
}

const found = (given: Circumstances) => obstaclesTo(given).map(({ what }) => what);

describe("what stands in the way of a whole dump", () => {
  it("is nothing where everything can be read", () => {
    const views = [relation({ kind: "v", maySelect: false }), relation({ kind: "f" })];
    expect(found(circumstances([relation(), ...views]))).toEqual([]);
  });

  it.each([
    [{ maySelect: false }, "table public.t: role backup may not read it"],
    [{ kind: "S", maySelect: false }, "sequence public.t: role backup may not read it"],
    [{ mayUseSchema: false }, "schema public: role backup may not use it"],
    [{ filtered: true }, "table public.t: row-level security may hide rows from the role"],
    [
      { filtered: true, owned: true, forcesRowSecurity: true },
      "table public.t: row-level security is forced also on its owner",
    ],
  ] as const)("is %j", (parts, what) => {
    expect(found(circumstances([relation(parts)]))).toEqual([what]);
  });

  it("is a standby that is behind, paused, or lacks unlogged rows", () => {
    const standby = { current: false, secondsBehind: 900, paused: false };
    const on = (parts: Partial<typeof standby>) => ({
      server: { ...server, standby: { ...standby, ...parts } },
    });
    expect(found(circumstances([], on({})))[0]).toMatch(/900 s old, and 300 s are allowed/);
    expect(found(circumstances([], on({ current: true })))).toEqual([]);
    expect(found(circumstances([], on({ secondsBehind: 20 })))).toEqual([]);
    expect(found(circumstances([], on({ paused: true })))[0]).toMatch(/paused/);
    const unlogged = relation({ unlogged: true });
    expect(found(circumstances([unlogged], on({ current: true })))[0]).toMatch(/unlogged/);
  });

  it("is told at once, with each remedy once", () => {
    const obstacles = obstaclesTo(
      circumstances([
        relation({ name: "a", maySelect: false }),
        relation({ name: "b", maySelect: false, filtered: true }),
      ]),
    );
    const error = obstructed(obstacles, "database x");
    expect(error?.cause).toMatch(/public\.a.*public\.b.*row-level/);
    expect(error?.remedy).toBe(
      'GRANT pg_read_all_data TO "backup"; ALTER ROLE "backup" BYPASSRLS;',
    );
    expect(obstructed([], "database x")).toBeUndefined();
  });
});

describe("a dump that failed", () => {
  const connection = { subject: "database x", conninfo: "", environment: {} };
  it.each([
    [
      'pg_dump: error: query failed: ERROR:  query would be affected by row-level security policy for table "t"',
      "Row-level security",
    ],
    ["pg_dump: error: query failed: ERROR:  permission denied for table t", "may not read"],
    ["pg_dump: error: ERROR:  snapshot too old", "snapshot is too old"],
    ["ERROR:  canceling statement due to conflict with recovery", "standby ended"],
    ["ERROR:  canceling statement due to lock timeout", "A table is locked"],
    ['ERROR:  invalid snapshot identifier: "0-1"', "snapshot is gone"],
    ["pg_dump: error: could not write to output file: No space left on device", "disk is full"],
    ["pg_dump: error: aborting because of server version mismatch", "too old for the server"],
    ['ERROR:  invalid page in block 3 of relation "base/5/1"', "own data are damaged"],
    [
      "FATAL:  terminating connection due to administrator command\nserver closed the connection unexpectedly",
      "connection to PostgreSQL broke",
    ],
    ["pg_dump: error: something new", "pg_dump failed"],
  ])("%s", (stderr, title) => {
    const ended = { exitCode: 1, message: "pg_dump ended with exit status 1", stderr };
    const error = dumpFailure({
      program: "pg_dump",
      ended,
      connection,
      place: "this machine",
      lockWaitSeconds: 60,
    });
    expect(error.title).toContain(title);
  });
});
