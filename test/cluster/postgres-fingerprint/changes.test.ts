import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Session } from "../../../shared/postgres/index.ts";
import {
  compareFingerprints,
  type PostgresFingerprint,
} from "../../../shared/postgres-fingerprint/index.ts";
import type { Finding } from "../../../shared/proof/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { connect, fingerprintInside, fingerprintOf, makeRich, makeRoles } from "./databases.ts";

let server: PostgresServer;
let expected: PostgresFingerprint;
let session: Session;

beforeAll(async () => {
  const { postgres } = await resolveEndpoints(["postgres"]);
  server = await PostgresServer.start(postgres["16"] ?? "");
  makeRoles(server);
  makeRich(server, "rich");
  expected = await fingerprintOf(server, "rich");
  session = await connect(server, "rich");
}, 60_000);

afterAll(async () => {
  await session?.close();
  await server?.[Symbol.asyncDispose]();
});

/** What is found when statements were run, which are undone again. */
async function findingsAfter(...statements: readonly string[]): Promise<readonly Finding[]> {
  await session.run("BEGIN");
  try {
    for (const statement of statements) await session.run(statement);
    const found = await fingerprintInside(session, { like: expected });
    return compareFingerprints(expected, found, { tier: "full" }).findings;
  } finally {
    await session.run("ROLLBACK");
  }
}

const words = ({ weight, detector, subject }: Finding) => `${weight} ${detector} ${subject}`;

/** A name, what is done, and every finding that there must be: weight, detector, subject. */
type Change = readonly [
  name: string,
  statements: string | readonly string[],
  ...findings: string[],
];

const rowChanges: readonly Change[] = [
  [
    "a row deleted",
    "DELETE FROM shop.dropped WHERE id = 25",
    "damage row-count table shop.dropped",
  ],
  ["a row added", "INSERT INTO public.empty VALUES (1)", "damage row-count table public.empty"],
  [
    "a row changed",
    "UPDATE ONLY shop.base SET b = 'z' WHERE a = 2",
    "damage content table shop.base",
  ],
  [
    "a row twice, another gone",
    [
      "DELETE FROM public.log WHERE ctid = (SELECT ctid FROM public.log WHERE line = 'line 3' LIMIT 1)",
      "INSERT INTO public.log SELECT * FROM public.log WHERE line = 'line 4' LIMIT 1",
    ],
    "damage content table public.log",
  ],
  [
    "a duplicate removed",
    "DELETE FROM public.log WHERE ctid = (SELECT max(ctid) FROM public.log)",
    "damage row-count table public.log",
  ],
  ["all rows gone", "TRUNCATE public.log", "damage row-count table public.log"],
  [
    "NULL for an empty text",
    `UPDATE "Odd ""Names"""."Table ""1""" SET "select" = NULL WHERE "Column A" = 2`,
    `damage content table "Odd ""Names"""."Table ""1"""`,
  ],
  [
    "a trailing space",
    "UPDATE shop.dropped SET kept = kept || ' ' WHERE id = 7",
    "damage content table shop.dropped",
  ],
  [
    "another case in citext",
    "UPDATE shop.customers SET code = upper(code::text) WHERE id = 3",
    "damage content table shop.customers",
  ],
  [
    "another case under a collation that ignores it",
    "UPDATE shop.customers SET nick = upper(nick) WHERE id = 5",
    "damage content table shop.customers",
  ],
  [
    "the scale of a number",
    "UPDATE shop.every_type SET n = n::numeric(40, 20) * 1.0 WHERE i8 IS NOT NULL",
    "damage content table shop.every_type",
  ],
  [
    "a sign of zero",
    "UPDATE shop.every_type SET f8 = 0 WHERE f8 = 0",
    "damage content table shop.every_type",
  ],
  [
    "the last digit of a float",
    "UPDATE shop.every_type SET f8 = f8 + 1e-15 WHERE i2 = 7",
    "damage content table shop.every_type",
  ],
  [
    "a microsecond",
    "UPDATE shop.every_type SET tz = tz + interval '1 us' WHERE i2 = 9",
    "damage content table shop.every_type",
  ],
  [
    "-1 for 4294967295, which hash alike in 32 bits",
    ["UPDATE shop.every_type SET i8 = -1 WHERE i2 = 5"],
    "damage content table shop.every_type",
  ],
  [
    "white space in json",
    'UPDATE shop.every_type SET j = \'{"b":1,"a":[1,2,null]}\' WHERE i2 = 5',
    "damage content table shop.every_type",
  ],
  [
    "an element of an array",
    "UPDATE shop.customers SET tags[1] = 'changed' WHERE id = 77",
    "damage content table shop.customers",
  ],
  [
    "values of two columns swapped",
    "UPDATE ONLY shop.base SET b = later, later = b WHERE a = 1",
    "damage content table shop.base",
  ],
  [
    "values of two rows swapped",
    "UPDATE public.documents SET body = (SELECT body FROM public.documents d WHERE d.id = CASE documents.id WHEN 'doc-1' THEN 'doc-2' ELSE 'doc-1' END) WHERE id IN ('doc-1', 'doc-2')",
    "damage content table public.documents",
  ],
  [
    "a row moved to another partition",
    "UPDATE shop.orders SET placed = '2024-06-01' WHERE id = 1",
    "damage row-count table shop.orders_2023",
    "damage row-count table shop.orders_2024_a",
  ],
  [
    "a sequence set back",
    "ALTER SEQUENCE shop.invoice_number RESTART 105",
    "doubt sequence sequence shop.invoice_number",
  ],
  ["a large object missing", "SELECT lo_unlink(70002)", "damage large-objects large objects"],
  [
    "a byte of a large object",
    "SELECT lo_put(70001, 2999, 'x')",
    "damage large-objects large objects",
  ],
];

const definitionChanges: readonly Change[] = [
  ["a table missing", "DROP TABLE public.documents", "damage catalog table public.documents"],
  [
    "a table more",
    "CREATE TABLE public.more (id int PRIMARY KEY)",
    "damage catalog table public.more",
  ],
  [
    "a table renamed",
    "ALTER TABLE public.documents RENAME TO papers",
    "damage catalog table public.documents",
    "damage catalog table public.papers",
  ],
  [
    "a partition detached",
    "ALTER TABLE shop.orders DETACH PARTITION shop.orders_rest",
    "damage catalog table shop.orders_rest",
    "damage constraint constraint shop.orders_rest.orders_customer_fkey",
    "damage index index shop.orders_rest_customer_idx",
    "damage index index shop.orders_rest_pkey",
  ],
  [
    "inheritance gone",
    "ALTER TABLE shop.child NO INHERIT shop.base",
    "damage catalog table shop.child",
  ],
  [
    "a table unlogged",
    "ALTER TABLE public.documents SET UNLOGGED",
    "damage catalog table public.documents",
  ],
  [
    "a column missing",
    "ALTER TABLE shop.dropped DROP COLUMN kept",
    "damage catalog column shop.dropped.kept",
  ],
  [
    "a column more",
    "ALTER TABLE shop.dropped ADD COLUMN fresh int",
    "damage catalog column shop.dropped.fresh",
  ],
  [
    "another type",
    "ALTER TABLE shop.dropped ALTER id TYPE bigint",
    "damage catalog column shop.dropped.id",
  ],
  [
    "a longer varchar",
    "ALTER TABLE shop.every_type ALTER v TYPE varchar(10)",
    "damage catalog column shop.every_type.v",
  ],
  [
    "a default gone",
    "ALTER TABLE shop.customers ALTER created DROP DEFAULT",
    "damage catalog column shop.customers.created",
  ],
  [
    "NOT NULL gone",
    "ALTER TABLE shop.customers ALTER name DROP NOT NULL",
    "damage catalog column shop.customers.name",
  ],
  [
    "identity of another kind",
    "ALTER TABLE shop.customers ALTER id SET GENERATED BY DEFAULT",
    "damage catalog column shop.customers.id",
  ],
  [
    "a generated column that is one no more",
    "ALTER TABLE shop.customers ALTER name_upper DROP EXPRESSION",
    "damage catalog column shop.customers.name_upper",
  ],
  [
    "a column's collation",
    'ALTER TABLE shop.dropped ALTER kept TYPE text COLLATE "POSIX"',
    "damage catalog column shop.dropped.kept",
  ],
  [
    "columns in another order",
    [
      "ALTER TABLE shop.dropped RENAME kept TO old",
      "ALTER TABLE shop.dropped ADD kept text",
      "UPDATE shop.dropped SET kept = old",
      "ALTER TABLE shop.dropped DROP old",
      "ALTER TABLE shop.dropped ADD other int",
      "UPDATE shop.dropped SET other = id",
      "ALTER TABLE shop.dropped DROP id",
      "ALTER TABLE shop.dropped RENAME other TO id",
      "ALTER TABLE shop.dropped ADD PRIMARY KEY (id)",
      "GRANT SELECT (id, kept) ON shop.dropped TO fp_app",
    ],
    "damage catalog table shop.dropped",
  ],
  [
    "a check gone",
    "ALTER TABLE shop.customers DROP CONSTRAINT name_not_empty",
    "damage constraint constraint shop.customers.name_not_empty",
  ],
  [
    "a check not valid",
    [
      "ALTER TABLE shop.customers DROP CONSTRAINT name_not_empty",
      "ALTER TABLE shop.customers ADD CONSTRAINT name_not_empty CHECK (name <> '') NOT VALID",
    ],
    "damage constraint constraint shop.customers.name_not_empty",
  ],
  [
    "a foreign key gone",
    "ALTER TABLE shop.orders DROP CONSTRAINT orders_customer_fkey",
    "damage constraint constraint shop.orders.orders_customer_fkey",
  ],
  [
    "a foreign key without its action",
    [
      "ALTER TABLE shop.orders DROP CONSTRAINT orders_customer_fkey",
      "ALTER TABLE shop.orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES shop.customers DEFERRABLE INITIALLY DEFERRED",
    ],
    "damage constraint constraint shop.orders.orders_customer_fkey",
  ],
  [
    "a key no more deferrable",
    "ALTER TABLE shop.orders ALTER CONSTRAINT orders_customer_fkey NOT DEFERRABLE",
    "damage constraint constraint shop.orders.orders_customer_fkey",
  ],
  [
    "a primary key gone",
    "ALTER TABLE shop.dropped DROP CONSTRAINT dropped_pkey",
    "damage constraint constraint shop.dropped.dropped_pkey",
    "damage index index shop.dropped_pkey",
  ],
  [
    "an index gone",
    "DROP INDEX shop.customers_by_tags",
    "damage index index shop.customers_by_tags",
  ],
  [
    "an index of other columns",
    [
      "DROP INDEX shop.customers_partial",
      "CREATE UNIQUE INDEX customers_partial ON shop.customers (lower(name))",
    ],
    "damage index index shop.customers_partial",
  ],
  [
    "an invalid index",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.customers_by_tags'::regclass",
    "damage index index shop.customers_by_tags",
  ],
  [
    "a view's query",
    "CREATE OR REPLACE VIEW shop.paid AS SELECT o.id, o.total, c.name FROM shop.orders o JOIN shop.customers c ON c.id = o.customer WHERE o.status = 'new'",
    "damage catalog view shop.paid",
  ],
  [
    "a view's barrier",
    "ALTER VIEW shop.names RESET (security_barrier)",
    "damage catalog view shop.names",
  ],
  [
    "a materialized view gone",
    "DROP MATERIALIZED VIEW shop.totals",
    "damage catalog materialized view shop.totals",
  ],
  [
    "a function's body",
    "CREATE OR REPLACE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    "damage catalog function shop.touch()",
  ],
  [
    "a function's volatility",
    "ALTER FUNCTION shop.add(int, int) VOLATILE",
    "damage catalog function shop.add(a integer, b integer)",
  ],
  [
    "a procedure gone",
    "DROP PROCEDURE shop.clean",
    "damage catalog function shop.clean(IN days integer)",
  ],
  [
    "an aggregate gone",
    "DROP AGGREGATE shop.product(numeric)",
    "damage catalog aggregate shop.product(numeric)",
  ],
  [
    "a trigger gone",
    "DROP TRIGGER touch ON shop.customers",
    "damage catalog trigger shop.customers.touch",
  ],
  [
    "a trigger disabled",
    "ALTER TABLE shop.customers DISABLE TRIGGER touch",
    "damage catalog trigger shop.customers.touch",
  ],
  [
    "an event trigger disabled",
    "ALTER EVENT TRIGGER on_drop DISABLE",
    "damage catalog event trigger on_drop",
  ],
  [
    "a rule gone",
    "DROP RULE no_delete ON public.documents",
    "damage catalog rule public.documents.no_delete",
  ],
  [
    "a policy wider",
    "ALTER POLICY own ON shop.customers USING (true)",
    "damage catalog policy shop.customers.own",
  ],
  [
    "row security off",
    "ALTER TABLE shop.customers DISABLE ROW LEVEL SECURITY",
    "damage catalog row security shop.customers",
  ],
  [
    "a label more",
    "ALTER TYPE shop.status ADD VALUE 'lost' BEFORE 'paid'",
    "damage catalog type shop.status",
  ],
  [
    "a domain without a check",
    "ALTER DOMAIN shop.email DROP CONSTRAINT email_check",
    "damage catalog type shop.email",
  ],
  [
    "a composite wider",
    "ALTER TYPE shop.address ADD ATTRIBUTE country text",
    "damage catalog type shop.address",
    "damage content table shop.customers",
    "damage content table shop.every_type",
  ],
  [
    "an extension gone",
    "DROP EXTENSION pg_trgm CASCADE",
    "damage extension extension pg_trgm",
    "damage index index shop.customers_trigrams",
  ],
  [
    "an operator gone",
    "DROP OPERATOR shop.=== (shop.address, shop.address)",
    "damage catalog operator shop.===(shop.address,shop.address)",
  ],
  ["a cast gone", "DROP CAST (shop.address AS text)", "damage catalog cast shop.address as text"],
  [
    "a sequence's step",
    "ALTER SEQUENCE shop.invoice_number INCREMENT 1",
    "damage sequence sequence shop.invoice_number",
  ],
  [
    "a sequence gone",
    "DROP SEQUENCE shop.invoice_number",
    "damage sequence sequence shop.invoice_number",
  ],
  [
    "a text search mapping",
    "ALTER TEXT SEARCH CONFIGURATION shop.search DROP MAPPING FOR asciiword",
    "damage catalog text search configuration shop.search",
  ],
  [
    "a statistics object gone",
    "DROP STATISTICS shop.correlated",
    "damage catalog statistics object shop.correlated",
  ],
  [
    "a foreign server's host",
    "ALTER SERVER elsewhere OPTIONS (SET host 'db3')",
    "damage catalog foreign server elsewhere",
  ],
  [
    "a publication's tables",
    "ALTER PUBLICATION changes DROP TABLE shop.dropped",
    "damage catalog publication changes",
  ],
  [
    "a replica identity",
    "ALTER TABLE shop.dropped REPLICA IDENTITY DEFAULT",
    "damage catalog replica identity shop.dropped",
  ],
  [
    "a privilege gone",
    "REVOKE INSERT ON shop.orders FROM fp_app",
    "damage catalog privileges of table shop.orders",
  ],
  [
    "a privilege for everybody",
    "GRANT EXECUTE ON FUNCTION shop.add(int, int) TO PUBLIC",
    "damage catalog privileges of function shop.add(a integer, b integer)",
  ],
  [
    "default privileges gone",
    "ALTER DEFAULT PRIVILEGES FOR ROLE fp_owner IN SCHEMA shop REVOKE SELECT ON TABLES FROM fp_audit",
    "damage catalog default privileges of fp_owner on tables in schema shop",
  ],
  ["a schema more", "CREATE SCHEMA more", "damage catalog schema more"],
];

const benignChanges: readonly Change[] = [
  [
    "rows in another order",
    [
      "CREATE TEMP TABLE kept AS TABLE public.log",
      "TRUNCATE public.log",
      "INSERT INTO public.log SELECT * FROM kept ORDER BY random()",
    ],
  ],
  ["rows written again", "UPDATE shop.every_type SET i2 = i2"],
  ["a table clustered anew", "CLUSTER shop.base"],
  ["statistics", "ANALYZE"],
  ["an index built anew", "REINDEX TABLE shop.customers"],
  ["another owner", "ALTER TABLE public.documents OWNER TO fp_app", "note catalog owners"],
  [
    "a fill factor",
    "ALTER TABLE public.documents SET (fillfactor = 90)",
    "note catalog storage options public.documents",
  ],
  [
    "settings of autovacuum",
    "ALTER TABLE shop.base SET (autovacuum_enabled = false)",
    "note catalog storage options shop.base",
  ],
  [
    "a statistics target",
    "ALTER TABLE public.documents ALTER id SET STATISTICS 100",
    "note catalog column options public.documents.id",
  ],
  [
    "storage of a column",
    "ALTER TABLE public.documents ALTER body SET STORAGE MAIN",
    "note catalog column options public.documents.body",
  ],
  [
    "a comment",
    "COMMENT ON TABLE shop.orders IS 'Ordered'",
    "note catalog comment of table shop.orders",
  ],
  [
    "a clustered mark",
    "ALTER TABLE shop.base SET WITHOUT CLUSTER",
    "note catalog index clustered on shop.base",
  ],
  ["a role's attributes", "ALTER ROLE fp_app LOGIN", "note catalog role fp_app"],
  ["an unlogged table's rows", "TRUNCATE public.scratch", "note content table public.scratch"],
  [
    "a materialized view filled anew",
    [
      "DELETE FROM shop.orders WHERE id = 1",
      "REFRESH MATERIALIZED VIEW shop.totals",
      "INSERT INTO shop.orders SELECT 1, 2, 'paid', 1.10, date '2023-01-02', 'urgent'",
    ],
    "note content materialized view shop.totals",
  ],
  ["a sequence ahead", "ALTER SEQUENCE shop.invoice_number RESTART 9000"],
  [
    "an extension's objects",
    "CREATE EXTENSION fuzzystrmatch",
    "note extension extension fuzzystrmatch",
  ],
  ["a temporary table", "CREATE TEMP TABLE t AS SELECT 1"],
  ["the session's own settings", ["SET LOCAL work_mem = '64kB'", "SET LOCAL enable_hashagg = off"]],
  [
    "a dropped column",
    ["ALTER TABLE shop.dropped ADD COLUMN brief int", "ALTER TABLE shop.dropped DROP COLUMN brief"],
  ],
  [
    "another setting of the database",
    "ALTER DATABASE rich SET work_mem = '8MB'",
    "note catalog database setting work_mem",
  ],
  [
    "a constraint dropped and made again",
    [
      "ALTER TABLE shop.dropped DROP CONSTRAINT dropped_pkey",
      "ALTER TABLE shop.dropped ADD CONSTRAINT dropped_pkey PRIMARY KEY (id)",
    ],
  ],
];

async function expectFindings([, statements, ...findings]: Change): Promise<void> {
  const found = await findingsAfter(...[statements].flat());
  expect(found.map(words).sort()).toEqual([...findings].sort());
}

test.each(rowChanges.map((change) => [change[0], change] as const))("rows: %s", (_, change) =>
  expectFindings(change),
);

test.each(definitionChanges.map((change) => [change[0], change] as const))(
  "definitions: %s",
  (_, change) => expectFindings(change),
);

test.each(benignChanges.map((change) => [change[0], change] as const))(
  "harmless: %s",
  (_, change) => expectFindings(change),
);

test("the first differing key range is named, with its rows", async () => {
  const [finding] = await findingsAfter("DELETE FROM shop.every_type WHERE i2 IN (120, 121, 199)");
  expect(finding?.what).toMatch(
    /^3 rows of 201 are missing; first in the key range id from 00000000-0000-4000-8000-\d{12} to below 00000000-0000-4000-8000-\d{12}: \d+ rows expected, \d+ found; [23] of \d+ key ranges differ\.$/,
  );
  const [from = "", below = ""] = finding?.what.match(/\d{12}(?= |:)/g) ?? [];
  expect(Number(from)).toBeLessThanOrEqual(120);
  expect(Number(below)).toBeGreaterThan(120);
});
