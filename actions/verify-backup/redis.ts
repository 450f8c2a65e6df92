import { UserError } from "../../shared/failure/index.ts";
import type { Declared } from "./declared.ts";
import type { Options } from "./inputs.ts";

/**
 * How a throw-away Redis is had, and what it is asked.
 *
 * @throws {UserError} where the queries are written for another kind.
 */
export function redisOptions(
  { tier, memory, timeLimit, server, image }: Options,
  { queries, redisQueries }: Declared,
) {
  if (queries !== undefined) {
    throw new UserError({
      title: "The queries are none of Redis",
      cause: "`queries` has `sql`, and the backup is one of Redis, which is asked by commands.",
      remedy: "Write a list such as `[{name: sessions, command: [DBSIZE], expect: {min: 1}}]`.",
    });
  }
  const where = server === "local" || server === "docker" ? server : undefined;
  return { tier, memory, timeLimit, server: where, image, queries: redisQueries };
}
