import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { type DumpSettings, postgresSource } from "../../../shared/postgres-dump/index.ts";
import type { PostgresServer } from "../../servers/postgres.ts";
import { testWorld } from "../kubernetes/sandbox.ts";

/** What a dump should not lose: names that need quotes, partitions, policies, large objects. */
export const SHOP = `
CREATE SCHEMA app;
CREATE TABLE app.orders (id bigserial PRIMARY KEY, who text, at timestamptz);
INSERT INTO app.orders (who, at)
  SELECT md5(i::text), timestamptz '2026-01-01' + i * interval '1 second' FROM generate_series(1, 60000) i;
CREATE TABLE app.parent (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE app.p1 PARTITION OF app.parent FOR VALUES FROM (0) TO (1000);
INSERT INTO app.parent SELECT i, 'x' FROM generate_series(1, 500) i;
CREATE UNLOGGED TABLE app.passing (i int);
INSERT INTO app.passing VALUES (1);
CREATE TABLE public."Odd.Name ""q""" (i int);
INSERT INTO public."Odd.Name ""q""" VALUES (1);
CREATE MATERIALIZED VIEW app.counted AS SELECT count(*) FROM app.orders;
CREATE TABLE app.secret (i int);
INSERT INTO app.secret VALUES (1);
ALTER TABLE app.secret ENABLE ROW LEVEL SECURITY;
SELECT lo_from_bytea(0, 'hello'::bytea);
CREATE ROLE reader LOGIN;`;

/** Keeps what a source gives, in memory. */
export class Larder {
  readonly parts = new Map<string, Buffer>();
  /** Told when a part has begun to come. */
  readonly begun = Promise.withResolvers<void>();
  /** Reading goes on only when this is done. */
  gate: Promise<void> = Promise.resolve();

  async write(name: string, content: Readable): Promise<void> {
    const chunks: Buffer[] = [];
    await Promise.race([
      once(content, "readable"),
      once(content, "error").then(([e]) => {
        throw e;
      }),
    ]);
    this.begun.resolve();
    await this.gate;
    for await (const chunk of content) chunks.push(chunk as Buffer);
    this.parts.set(name, Buffer.concat(chunks));
  }

  sha256(name: string): string {
    return createHash("sha256")
      .update(this.parts.get(name) ?? "")
      .digest("hex");
  }
}

/** Takes a backup of a server's database shop. */
export function capturing(
  server: PostgresServer,
  settings: Partial<DumpSettings> = {},
  larder = new Larder(),
  user = "postgres",
) {
  const made = testWorld();
  const source = postgresSource({
    connection: { url: server.url("shop", user) },
    format: "custom",
    binaries: server.bin,
    ...settings,
  });
  return { ...made, source, larder, captured: source.capture(larder, made.world) };
}

/** Connections and client programs that are still there. */
export function connectionsOf(server: PostgresServer): number {
  return Number(
    server.query(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'seaworthy' AND backend_type = 'client backend'",
    ),
  );
}
