-- The database whose backups are damaged: a library with some of everything, small enough that a
-- hundred copies of it are made within a minute. Needs the roles corpus_app and corpus_reader.
CREATE EXTENSION citext;
CREATE SCHEMA lib;
CREATE TYPE lib.status AS ENUM ('on shelf', 'lent', 'lost');
CREATE TYPE lib.address AS (street text, city text);
CREATE DOMAIN lib.isbn AS text CHECK (VALUE ~ '^97[89]-') CHECK (length(VALUE) < 20);
CREATE SEQUENCE lib.card_number START 1000 INCREMENT 3;
CREATE COLLATION lib.plain FROM "C";

CREATE TABLE lib.authors (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL CHECK (name <> ''),
  nick citext UNIQUE,
  born date,
  home lib.address,
  loud text GENERATED ALWAYS AS (upper(name)) STORED
);
INSERT INTO lib.authors (name, nick, born, home)
SELECT 'Author ' || i, 'Nick' || i, date '1900-01-01' + i * 30, ROW('Street ' || i, 'City')::lib.address
FROM generate_series(1, 300) i;

CREATE TABLE lib.books (
  id serial PRIMARY KEY,
  isbn lib.isbn UNIQUE,
  author bigint NOT NULL REFERENCES lib.authors ON DELETE CASCADE,
  title text COLLATE lib.plain NOT NULL,
  status lib.status NOT NULL DEFAULT 'on shelf',
  price numeric(10, 3) CHECK (price >= 0),
  weight float8,
  tags text[] DEFAULT '{}',
  about jsonb,
  cover bytea,
  note text,
  added timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00+00'
);
INSERT INTO lib.books (isbn, author, title, status, price, weight, tags, about, cover, note, added)
SELECT '978-' || i, 1 + i % 300, 'Title ' || i, (ARRAY['on shelf', 'lent', 'lost'])[1 + i % 3]::lib.status,
  i * 1.100, i / 7.0, ARRAY['t' || i % 10, 'ü€'], jsonb_build_object('pages', i, 'langs', ARRAY['de', 'en']),
  decode(md5(i::text), 'hex'), CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE E'tab\tline\nback\\slash' END,
  timestamptz '2026-01-01 00:00:00+00' + i * interval '1 minute'
FROM generate_series(1, 1500) i;

CREATE TABLE lib.loans (
  id bigint NOT NULL,
  book int NOT NULL REFERENCES lib.books,
  day date NOT NULL,
  fee numeric,
  PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE lib.loans_2025 PARTITION OF lib.loans FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE lib.loans_2026 PARTITION OF lib.loans FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO lib.loans SELECT i, 1 + i % 1500, date '2025-01-01' + i % 700, i % 9 FROM generate_series(1, 1400) i;

CREATE TABLE lib.events (at timestamptz, line text);
INSERT INTO lib.events SELECT timestamptz '2026-02-02 00:00:00+00' + i * interval '1 second', 'event ' || i % 50
FROM generate_series(1, 1000) i;
CREATE TABLE lib.secrets (id int PRIMARY KEY, tenant text NOT NULL, body text);
INSERT INTO lib.secrets SELECT i, 'tenant ' || i % 3, 'body ' || i FROM generate_series(1, 300) i;
ALTER TABLE lib.secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lib.secrets FOR SELECT TO corpus_reader USING (tenant = 'tenant 1');
GRANT USAGE ON SCHEMA lib TO corpus_app, corpus_reader;
GRANT SELECT, INSERT ON lib.books TO corpus_app;
CREATE UNLOGGED TABLE lib.scratch (id int PRIMARY KEY, v text);
INSERT INTO lib.scratch VALUES (1, 'one');
CREATE TABLE lib.empty (id int PRIMARY KEY);
CREATE TABLE lib.pages (id int PRIMARY KEY, body text);
INSERT INTO lib.pages SELECT i, (SELECT string_agg(md5(i::text || k), '') FROM generate_series(1, 120) k)
FROM generate_series(1, 120) i;

CREATE VIEW lib.lent AS SELECT id, title FROM lib.books WHERE status = 'lent';
CREATE MATERIALIZED VIEW lib.shelf AS SELECT author, count(*) AS books FROM lib.books GROUP BY author;
CREATE UNIQUE INDEX shelf_author ON lib.shelf (author);
CREATE INDEX books_author ON lib.books (author);
CREATE INDEX books_tags ON lib.books USING gin (tags);
CREATE UNIQUE INDEX authors_living ON lib.authors (lower(name)) WHERE born > '1910-01-01';
CREATE FUNCTION lib.fee(days int) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT days * 0.10';
CREATE FUNCTION lib.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON lib.books FOR EACH ROW EXECUTE FUNCTION lib.touch();
CREATE RULE keep AS ON DELETE TO lib.events DO INSTEAD NOTHING;
CREATE STATISTICS lib.related ON author, status FROM lib.books;
ALTER TABLE lib.events REPLICA IDENTITY FULL;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere OPTIONS (host 'db2');
CREATE FOREIGN TABLE lib.far (id int) SERVER elsewhere;
COMMENT ON TABLE lib.books IS 'All books';
SELECT nextval('lib.card_number') FROM generate_series(1, 20);
SELECT lo_from_bytea(90001, decode(repeat('00ff10', 900), 'hex')), lo_from_bytea(90002, 'second');
GRANT SELECT ON ALL TABLES IN SCHEMA lib TO corpus_reader;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA lib TO corpus_reader;
GRANT SELECT ON LARGE OBJECT 90001, 90002 TO corpus_reader;
