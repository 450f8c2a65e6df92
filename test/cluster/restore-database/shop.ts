/** A database with what a restore of some of its tables has to put aside and put back. */
export const SHOP = `
CREATE SCHEMA app;
CREATE TABLE app.customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE app.orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES app.customers,
  total numeric(10,2), twice numeric GENERATED ALWAYS AS (total * 2) STORED, note text);
CREATE TABLE app.lines (of bigint REFERENCES app.orders ON DELETE CASCADE, n int, PRIMARY KEY (of, n));
CREATE TABLE app.events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE app.events_25 PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.events_26 PARTITION OF app.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'touched'; RETURN NEW; END $$;
INSERT INTO app.customers (name) SELECT 'c' || g FROM generate_series(1, 300) g;
INSERT INTO app.orders (customer, total, note) SELECT 1 + g % 300, g, E'a\\t\\\\.\\n' || g FROM generate_series(1, 3000) g;
INSERT INTO app.lines SELECT g, 1 FROM generate_series(1, 3000) g;
INSERT INTO app.events SELECT timestamptz '2025-06-01' + g * interval '3 hours', 'e' || g FROM generate_series(1, 3000) g;
CREATE TRIGGER touch BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE VIEW app.totals AS SELECT customer, sum(total) FROM app.orders GROUP BY 1;
CREATE TABLE public."Odd ""Name" (a int, "b c" text);
INSERT INTO public."Odd ""Name" VALUES (1, 'x');
GRANT SELECT ON app.orders TO reader;
SELECT lo_from_bytea(0, 'hello'::bytea);`;

/** What a person would miss, in one line: rows, orders that a trigger has touched, large objects. */
export const STATE = `SELECT (SELECT count(*) FROM app.customers), (SELECT count(*) FROM app.orders WHERE note LIKE 'a%'),
  (SELECT count(*) FROM app.lines), (SELECT count(*) FROM app.events), (SELECT count(*) FROM pg_largeobject_metadata)`;

/** Its answer as the backup has it. */
export const WHOLE = "300|3000|3000|3000|1";
