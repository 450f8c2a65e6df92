import { describe, expect, test } from "@jest/globals";
import { RestoreOutputReader } from "../../../shared/postgres-restore/restoring/restore-output.ts";

function reading(lines: readonly string[], exitCode = 0, onRows?: () => void) {
  const reader = new RestoreOutputReader(onRows);
  for (const line of lines) reader.line(line);
  return reader.end(exitCode);
}

const refusal = (id: number) => [
  `pg_restore: from TOC entry ${id}; 1259 16387 TABLE orders${id} alice`,
  `pg_restore: error: could not execute query: ERROR:  type "money2" does not exist`,
  `LINE 2:     total money2`,
  `Command was: CREATE TABLE public.orders${id} (`,
  `    total money2`,
  `);`,
];
const WENT_ON = "pg_restore: warning: errors ignored on restore: 1";

describe("what pg_restore says", () => {
  test("names the entry, the server's words and the whole statement", () => {
    const { problems, failed, fatal } = reading([...refusal(217), WENT_ON], 1);
    expect(problems).toEqual([
      {
        subject: "table orders217",
        said: 'type "money2" does not exist',
        where: "TOC entry 217",
        statement: "CREATE TABLE public.orders217 (\n    total money2\n);",
        entry: 217,
      },
    ]);
    expect([...failed]).toEqual([217]);
    expect(fatal).toBeUndefined();
  });

  test("of very many failures some are told, and all entries are known", () => {
    const ids = Array.from({ length: 350 }, (_, i) => i + 1);
    const { problems, more, failed } = reading([...ids.flatMap(refusal), WENT_ON], 1);
    expect(problems.length + more).toBe(350);
    expect(more).toBeGreaterThan(0);
    expect([...failed]).toEqual(ids);
  });

  test("what it did not go on after is what ended it", () => {
    const { problems, fatal } = reading(
      ["pg_restore: error: could not read from input file: end of file"],
      1,
    );
    expect(problems).toEqual([]);
    expect(fatal).toBe("could not read from input file: end of file");
  });

  test.each([
    [
      "jobs",
      ["pg_restore: entering main parallel loop", "pg_restore: launching item 3 TABLE DATA a"],
    ],
    ["one after another", ['pg_restore: processing data for table "public.a"']],
    ["sequences only", ["pg_restore: executing SEQUENCE SET a_id_seq"]],
    [
      "large objects before version 17",
      ["pg_restore: executing BLOB 16500", "pg_restore: restoring large object with OID 16500"],
    ],
  ])("the rows begin once: %s", (_name, lines) => {
    let begun = 0;
    const before = [
      "pg_restore: connecting to database for restore",
      'pg_restore: creating TABLE "public.a"',
    ];
    reading([...before, ...lines, ...lines], 0, () => {
      begun += 1;
    });
    expect(begun).toBe(1);
  });

  test("definitions alone begin no rows", () => {
    reading(['pg_restore: creating TABLE "public.a"'], 0, () => {
      throw new Error("there are none");
    });
  });
});
