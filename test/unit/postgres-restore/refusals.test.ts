import { describe, expect, test } from "@jest/globals";
import { isHarmlessPrivilege } from "../../../shared/postgres-restore/dump/grammar.ts";
import { statementsIn } from "../../../shared/postgres-restore/dump/statements.ts";
import { knownAtSource } from "../../../shared/postgres-restore/examine/known-at-source.ts";
import { findingOf } from "../../../shared/postgres-restore/restoring/problems.ts";
import { Refusals } from "../../../shared/postgres-restore/restoring/refusals.ts";
import type { Finding } from "../../../shared/proof/index.ts";
import { fingerprint } from "../postgres-fingerprint/fingerprints.ts";

const problem = (said: string, statement: string) => ({
  ...{ subject: "object", said, where: "line 1", statement },
});

/** What a restore of a superuser's function, and of an operator on it, is told by the server. */
function refused() {
  const refusals = new Refusals();
  const findings = [
    problem(
      "permission denied for language internal",
      `CREATE FUNCTION lib."same"(int, int) RETURNS bool LANGUAGE internal AS 'int4eq';`,
    ),
    problem(
      "function lib.same(integer, integer) does not exist",
      "CREATE OPERATOR lib.=== (FUNCTION = lib.same, LEFTARG = int, RIGHTARG = int);",
    ),
    problem(
      "operator does not exist: integer lib.=== integer",
      "CREATE VIEW lib.pairs AS SELECT 1 OPERATOR(lib.===) 2;",
    ),
    problem("relation lib.other does not exist", "CREATE INDEX x ON lib.other (a);"),
  ].map((one) => refusals.take(one, "full"));
  return { refusals, findings };
}

const catalogFinding = (subject: string, expected: string): Finding => ({
  ...{ detector: "catalog", tier: "data", weight: "damage", subject, what: "It is missing." },
  expected,
});

describe("what only a superuser can make", () => {
  test("is told with all that stands on it, and nothing else is", () => {
    const { refusals, findings } = refused();
    expect(findings.map(({ detector, weight }) => `${weight} ${detector}`)).toEqual([
      "doubt not-restored",
      "doubt not-restored",
      "doubt not-restored",
      "damage restore",
    ]);
    expect([...refusals.all.objects]).toEqual([
      ["lib.same", "lib.same"],
      ["lib.===", "lib.same"],
      ["lib.pairs", "lib.same"],
    ]);
  });

  test("counts in a stranger's dump, and is unproven where the source had it", () => {
    const { refusals, findings } = refused();
    const all = [
      ...findings,
      catalogFinding("function lib.same(integer, integer)", "CREATE FUNCTION"),
      catalogFinding("operator lib.===(integer,integer)", "function lib.same(integer,integer)"),
      catalogFinding("function lib.sameness()", "CREATE FUNCTION lib.sameness()"),
      catalogFinding("table lib.pairs", "table"),
    ];
    const stranger = knownAtSource(all, refusals.all, fingerprint());
    expect(stranger).toEqual({ findings: all, unknown: [] });
    const functions = { "lib.same(integer, integer)": "CREATE FUNCTION …" };
    const own = fingerprint({ catalog: { function: functions } });
    const known = knownAtSource(all, refusals.all, own);
    expect(known.findings.map(({ weight }) => weight)).toEqual([
      ...["note", "note", "note", "damage"],
      // The last two: another function by a longer name, and a table, which may have had rows.
      ...["note", "note", "damage", "damage"],
    ]);
    expect(known.unknown).toEqual([expect.stringContaining("lib.same")]);
  });

  test("looks hostile from outside only", () => {
    const what = "It creates lib.same in internal, which can do whatever the server's user may.";
    const finding: Finding = {
      ...{ detector: "hostile", tier: "integrity", weight: "doubt", subject: "entry 3", what },
    };
    const weightFor = (functions: Record<string, string>) =>
      knownAtSource(
        [finding],
        new Refusals().all,
        fingerprint({ catalog: { function: functions } }),
      ).findings[0]?.weight;
    expect(weightFor({ "lib.same(integer, integer)": "" })).toBe("note");
    expect(weightFor({ "lib.same_too()": "" })).toBe("doubt");
  });
});

test.each([
  [
    "permission denied for function pg_ls_waldir",
    "GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO a;",
    "note",
  ],
  ["permission denied for function pg_ls_waldir", "SELECT pg_ls_waldir();", "damage"],
  ['role "ann" does not exist', "GRANT SELECT ON t TO ann;", "damage"],
])("%s by %s is a %s", (said, statement, weight) => {
  expect(findingOf(problem(said, statement), "full").weight).toBe(weight);
});

test.each([
  ["COMMENT ON EVENT TRIGGER e IS 'it''s asleep';", true],
  ["COMMENT ON CAST (integer AS text) IS E'a\\\\b';", true],
  ["COMMENT ON TABLE t IS 'a'; DROP TABLE t; SELECT 'b';", false],
  ["CREATE CAST (integer AS text) WITH INOUT AS IMPLICIT;", true],
  ["CREATE CAST (integer AS text) WITH FUNCTION public.f(integer);", false],
  ["CREATE CAST (oid AS date) WITHOUT FUNCTION;", false],
  ["ALTER EVENT TRIGGER e DISABLE;", true],
])("%s may be run by the administrator: %s", (statement, harmless) => {
  expect(isHarmlessPrivilege(statement)).toBe(harmless);
});

test("the statements of an entry are taken apart by quotes and bodies", () => {
  expect(statementsIn(`SET SESSION AUTHORIZATION "a;b";\nGRANT SELECT ON t TO c;\n\n`)).toEqual([
    `SET SESSION AUTHORIZATION "a;b";`,
    "GRANT SELECT ON t TO c;",
  ]);
});
