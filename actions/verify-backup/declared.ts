import { resolve } from "node:path";
import { UserError } from "../../shared/failure/index.ts";
import type { PostgresBackup } from "../../shared/postgres-restore/index.ts";
import type { RedisQuery } from "../../shared/redis/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/** What a backup is held against beside its fingerprint, as the inputs have it. */
export interface Declared
  extends Pick<PostgresBackup, "expectations" | "schema" | "queries" | "liveSource"> {
  /** The queries, where they are commands of Redis. */
  readonly redisQueries?: readonly RedisQuery[] | undefined;
}

/**
 * Reads what the inputs declare of the contents, before anything is fetched: a slip of the pen is told
 * at once, and not after the restore.
 *
 * @throws {UserError} for every mistake in the YAML, and where the schema file is not there.
 */
export async function readDeclared(options: Options, world: World): Promise<Declared> {
  return {
    ...(await expectationsOf(options, world)),
    ...(await queriesOf(options)),
    liveSource: await liveSourceOf(options, world),
  };
}

/**
 * What is declared, for PostgreSQL.
 *
 * @throws {UserError} where the queries are written for Redis.
 */
export function forPostgres({
  redisQueries,
  ...declared
}: Declared): Omit<Declared, "redisQueries"> {
  if (redisQueries === undefined) return declared;
  throw new UserError({
    title: "The queries are none of PostgreSQL",
    cause: "`queries` has `command`, and the backup is one of PostgreSQL, which is asked by `sql`.",
    remedy:
      'Write a list such as `[{name: orders, sql: "SELECT count(*) FROM orders", expect: {min: 1}}]`.',
  });
}

async function queriesOf({
  queries,
}: Options): Promise<Pick<Declared, "queries" | "redisQueries">> {
  if (queries === undefined) return {};
  const redis = await import("../../shared/redis/index.ts");
  if (redis.isForRedis(queries)) return { redisQueries: redis.parseRedisQueries(queries) };
  const { parseQueries } = await import("../../shared/postgres-restore/index.ts");
  return { queries: parseQueries(queries) };
}

async function expectationsOf(
  { expectations: text }: Options,
  { environment }: World,
): Promise<Pick<Declared, "expectations" | "schema">> {
  if (text === undefined) return {};
  const { parseExpectations } = await import("../../shared/postgres-fingerprint/index.ts");
  const expectations = parseExpectations(text);
  const { schemaFile } = expectations;
  if (schemaFile === undefined) return { expectations };
  const { dumpAt } = await import("../../shared/dump-format/index.ts");
  const workspace = environment.GITHUB_WORKSPACE ?? process.cwd();
  return { expectations, schema: await dumpAt(resolve(workspace, schemaFile)) };
}

/** The live database, and a psql that can speak to it. Nothing is connected yet. */
async function liveSourceOf(
  { liveSource: url, postgresBin }: Options,
  world: World,
): Promise<Declared["liveSource"]> {
  if (url === undefined) return undefined;
  const { findPsql, reach } = await import("../../shared/postgres/index.ts");
  const { place, connection } = await reach({ url }, world);
  const psql = await findPsql(place, { signal: world.signal, folder: postgresBin });
  return { place, connection, psql };
}
