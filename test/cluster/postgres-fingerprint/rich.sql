-- A database with one of everything that a fingerprint tells of. Needs the roles fp_owner, fp_app and
-- fp_audit, and the contributed extensions.
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm WITH SCHEMA public;
CREATE EXTENSION citext;
CREATE SCHEMA shop AUTHORIZATION fp_owner;
CREATE SCHEMA "Odd ""Names""";
CREATE TYPE shop.status AS ENUM ('new', 'paid', 'sent');
CREATE TYPE shop.address AS (street text, city varchar(80), zip int);
CREATE DOMAIN shop.email AS text NOT NULL CHECK (VALUE ~ '@') CHECK (length(VALUE) < 200);
CREATE DOMAIN shop.short_email AS shop.email CHECK (length(VALUE) < 100);
CREATE TYPE shop.money_range AS RANGE (subtype = numeric);
-- Not every build of a server has ICU.
DO $$ BEGIN
  CREATE COLLATION shop.insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN feature_not_supported THEN CREATE COLLATION shop.insensitive FROM "C";
END $$;
CREATE SEQUENCE shop.invoice_number AS int START 100 INCREMENT 5 MAXVALUE 1000000 CACHE 3 CYCLE;

CREATE TABLE shop.customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  nick text COLLATE shop.insensitive,
  mail shop.short_email,
  home shop.address,
  tags text[] DEFAULT '{}',
  extra hstore,
  code citext UNIQUE,
  name_upper text GENERATED ALWAYS AS (upper(name)) STORED,
  created timestamptz NOT NULL DEFAULT '2024-01-01 00:00:00+00',
  CONSTRAINT name_not_empty CHECK (name <> '')
);
ALTER TABLE shop.customers OWNER TO fp_owner;
INSERT INTO shop.customers (name, nick, mail, home, tags, extra, code, created)
SELECT 'Customer ' || i, CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN '' ELSE 'Nick' || i END, 'c' || i || '@example.org',
  CASE WHEN i % 4 = 0 THEN NULL ELSE ROW('Street ' || i, 'City, "quoted"', i)::shop.address END,
  ARRAY['a' || i, NULL, 'b,c', ''], hstore('k' || i, CASE WHEN i % 2 = 0 THEN 'v' END), 'Code' || i, timestamptz '2024-01-01 00:00:00+00' + i * interval '1 minute'
FROM generate_series(1, 500) i;

CREATE TABLE shop.orders (
  id bigint NOT NULL,
  customer bigint NOT NULL REFERENCES shop.customers ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  status shop.status DEFAULT 'new',
  total numeric(12, 2) CHECK (total >= 0),
  placed date NOT NULL,
  note varchar(200) CHECK (note IN ('gift', 'urgent', 'none')),
  PRIMARY KEY (id, placed)
) PARTITION BY RANGE (placed);
CREATE TABLE shop.orders_2023 PARTITION OF shop.orders FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE shop.orders_2024 PARTITION OF shop.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY HASH (id);
CREATE TABLE shop.orders_2024_a PARTITION OF shop.orders_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shop.orders_2024_b PARTITION OF shop.orders_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE shop.orders_rest PARTITION OF shop.orders DEFAULT;
CREATE INDEX orders_by_customer ON shop.orders (customer);
INSERT INTO shop.orders SELECT i, 1 + i % 500, (ARRAY['new', 'paid', 'sent'])[1 + i % 3]::shop.status, i * 1.10, date '2023-01-01' + (i % 1000), (ARRAY['gift', 'urgent', NULL])[1 + i % 3]
FROM generate_series(1, 2000) i;
SELECT nextval('shop.invoice_number') FROM generate_series(1, 7);

CREATE TABLE shop.base (a int PRIMARY KEY, b text);
CREATE TABLE shop.child (own date) INHERITS (shop.base);
ALTER TABLE shop.base ADD COLUMN later text;
INSERT INTO shop.base VALUES (1, 'x', 'l1'), (2, 'y', NULL);
INSERT INTO shop.child (a, b, own, later) VALUES (10, 'child', '2020-02-29', 'after');

CREATE TABLE shop.dropped (id int PRIMARY KEY, gone text, kept text);
INSERT INTO shop.dropped SELECT i, 'gone' || i, 'kept' || i FROM generate_series(1, 50) i;
ALTER TABLE shop.dropped DROP COLUMN gone;

CREATE TABLE shop.every_type (
  id uuid PRIMARY KEY, f4 float4, f8 float8, n numeric, m money, b bytea, j json, jb jsonb, x xml, t timestamp, tz timestamptz, d date, ti time, ttz timetz, iv interval,
  i inet, ci cidr, mac macaddr, bits bit(5), vb varbit, p point, po polygon, r int4range, mr nummultirange, tsv tsvector, tsq tsquery, cl regclass, pr regprocedure, ty regtype, o oid,
  c char(6), v varchar(9), bo boolean, i2 smallint, i8 bigint, ar int[], ar2 text[][], st shop.status[], mon shop.money_range, jp jsonpath, ls pg_lsn, ch "char", nm name, ad shop.address[]
);
INSERT INTO shop.every_type SELECT ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, i / 3.0, CASE i WHEN 1 THEN 'NaN' WHEN 2 THEN '-0' WHEN 3 THEN 'Infinity' ELSE (i / 7.0)::float8 END, i::numeric / 3, i * 100.25,
  decode(md5(i::text), 'hex'), '{"b" : 1,  "a":[1,2 , null]}', jsonb_build_object('z', i, 'a', 1.50), '<a b="c">text &amp; more</a>', timestamp '1999-12-31 23:59:59.123456' + i * interval '1 day',
  CASE i WHEN 1 THEN 'infinity' ELSE timestamptz '2000-03-26 01:59:59+00' + i * interval '1 hour' END, CASE i WHEN 2 THEN '-infinity' ELSE date '0044-03-15 BC' + i END, time '23:59:60', '12:00:00+05:30', i * interval '1 mon 2 days 03:04:05.6',
  '10.1.2.3/24', '10.1.0.0/16', '08:00:2b:01:02:03', B'10101', B'1', point(i, 0.1), polygon '((0,0),(1,1.5),(2,0))', int4range(i, i + 5), nummultirange(numrange(1.5, 2), numrange(i + 3, NULL)),
  to_tsvector('simple', 'the quick brown fox ' || i), to_tsquery('simple', 'fox & dog:*'), 'shop.customers'::regclass, 'upper(text)'::regprocedure, 'shop.status'::regtype, 4711,
  'ab', 'with "q"', i % 2 = 0, i, (i::bigint << 40) - 3, ARRAY[i, NULL, 3], ARRAY[['a', 'b'], ['c', 'NULL']], ARRAY['new', 'sent']::shop.status[], shop.money_range(1, i + 2), '$.a[*] ? (@ > 1)', '16/B374D848', 'x', 'name ' || i,
  ARRAY[ROW('s', 'c', 1), NULL]::shop.address[]
FROM generate_series(1, 200) i;
INSERT INTO shop.every_type (id) VALUES ('ffffffff-ffff-4fff-bfff-ffffffffffff');

CREATE TABLE "Odd ""Names"""."Table ""1""" ("Column A" int PRIMARY KEY, "select" text, "üñî" text);
INSERT INTO "Odd ""Names"""."Table ""1""" VALUES (1, E'tab\tnew\nline \\ back', '☃'), (2, '', NULL);
CREATE TABLE public.log (at timestamptz, line text);
INSERT INTO public.log SELECT timestamptz '2024-05-05 00:00+00' + i * interval '1 second', 'line ' || i % 10 FROM generate_series(1, 1000) i;
INSERT INTO public.log SELECT * FROM public.log LIMIT 10;
CREATE TABLE public.nothing ();
INSERT INTO public.nothing DEFAULT VALUES;
CREATE TABLE public.empty (id int PRIMARY KEY);
CREATE TABLE public.documents (id text PRIMARY KEY, body text, embedding float4[]);
INSERT INTO public.documents SELECT 'doc-' || i, repeat(md5(i::text), 100), ARRAY(SELECT (random() * 0 + i * k / 100.0)::float4 FROM generate_series(1, 20) k) FROM generate_series(1, 80) i;
ALTER TABLE public.documents ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN id SET STATISTICS 500;
ALTER TABLE public.documents SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE UNLOGGED TABLE public.scratch (id int PRIMARY KEY, v text);
INSERT INTO public.scratch VALUES (1, 'one');

CREATE VIEW shop.paid AS SELECT o.id, o.total, c.name FROM shop.orders o JOIN shop.customers c ON c.id = o.customer WHERE o.status = 'paid';
CREATE VIEW shop.names WITH (security_barrier) AS SELECT id, name FROM shop.customers WHERE name IS NOT NULL ORDER BY name;
CREATE VIEW shop.grouped AS SELECT id, name, count(*) AS n FROM shop.customers GROUP BY id;
CREATE MATERIALIZED VIEW shop.totals AS SELECT customer, sum(total) AS sum FROM shop.orders GROUP BY customer;
CREATE UNIQUE INDEX totals_by_customer ON shop.totals (customer);
CREATE MATERIALIZED VIEW shop.unfilled AS SELECT 1 AS one WITH NO DATA;

CREATE FUNCTION shop.add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
CREATE FUNCTION shop.standard(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + (SELECT count(*)::int FROM shop.base); END;
CREATE PROCEDURE shop.clean(IN days int) LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.log WHERE at < now() - days * interval '1 day'; END $$;
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION shop.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE AGGREGATE shop.product(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = '1');
CREATE FUNCTION shop.same(shop.address, shop.address) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.zip = $2.zip';
CREATE OPERATOR shop.=== (LEFTARG = shop.address, RIGHTARG = shop.address, FUNCTION = shop.same, COMMUTATOR = OPERATOR(shop.===));
CREATE FUNCTION shop.to_text(shop.address) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.street';
CREATE CAST (shop.address AS text) WITH FUNCTION shop.to_text(shop.address) AS ASSIGNMENT;
CREATE TRIGGER touch BEFORE UPDATE ON shop.customers FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION shop.touch();
CREATE TRIGGER touch_orders AFTER INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE TRIGGER asleep BEFORE INSERT ON shop.base FOR EACH ROW EXECUTE FUNCTION shop.touch();
ALTER TABLE shop.base DISABLE TRIGGER asleep;
CREATE EVENT TRIGGER on_drop ON ddl_command_end WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION shop.on_ddl();
CREATE RULE no_delete AS ON DELETE TO public.documents DO INSTEAD NOTHING;
CREATE INDEX customers_by_tags ON shop.customers USING gin (tags);
CREATE INDEX customers_trigrams ON shop.customers USING gin (name gin_trgm_ops);
CREATE UNIQUE INDEX customers_partial ON shop.customers (lower(name)) WHERE nick IS NOT NULL;
CREATE INDEX base_b ON shop.base (b DESC NULLS LAST) INCLUDE (later);
ALTER TABLE shop.base CLUSTER ON base_b;
ALTER TABLE shop.base ADD CONSTRAINT no_overlap EXCLUDE USING btree (a WITH =);
ALTER TABLE shop.base ADD CONSTRAINT unproven CHECK (b <> 'never') NOT VALID;
ALTER TABLE shop.dropped REPLICA IDENTITY FULL;
ALTER TABLE shop.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.customers FOR SELECT TO fp_app USING (name = current_user);
CREATE POLICY strict ON shop.customers AS RESTRICTIVE FOR UPDATE TO fp_app, fp_audit USING (true) WITH CHECK (nick IN ('a', 'b') OR nick IS NULL);
CREATE STATISTICS shop.correlated (dependencies, ndistinct) ON status, total FROM shop.orders;
CREATE TEXT SEARCH DICTIONARY shop.plain (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION shop.search (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION shop.search ALTER MAPPING FOR asciiword WITH shop.plain;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere OPTIONS (host 'db2', port '5432');
CREATE USER MAPPING FOR fp_app SERVER elsewhere OPTIONS (user 'reader', password 'very-secret-password');
CREATE FOREIGN TABLE shop.remote (id int, v text) SERVER elsewhere OPTIONS (table_name 'remote');
CREATE PUBLICATION changes FOR TABLE shop.base, shop.dropped WITH (publish = 'insert, update');
GRANT USAGE ON SCHEMA shop TO fp_app, fp_audit;
GRANT SELECT, INSERT ON shop.orders TO fp_app;
GRANT SELECT ON shop.customers TO fp_audit WITH GRANT OPTION;
GRANT SELECT (id, kept) ON shop.dropped TO fp_app;
REVOKE EXECUTE ON FUNCTION shop.add(int, int) FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE fp_owner IN SCHEMA shop GRANT SELECT ON TABLES TO fp_audit;
COMMENT ON TABLE shop.orders IS 'What was ordered';
COMMENT ON COLUMN shop.orders.total IS 'With taxes';
COMMENT ON FUNCTION shop.add(int, int) IS 'Adds';
SELECT lo_from_bytea(70001, decode(repeat('00ff10', 1000), 'hex')), lo_from_bytea(70002, 'second'), lo_from_bytea(70003, '');
SELECT lo_put(70002, 3000000, 'far behind');
ALTER LARGE OBJECT 70002 OWNER TO fp_owner;
COMMENT ON LARGE OBJECT 70001 IS 'a picture';
