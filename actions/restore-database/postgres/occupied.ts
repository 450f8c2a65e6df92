import { UserError } from "../../../shared/failure/index.ts";
import type { Session } from "../../../shared/postgres/index.ts";
import type { Options } from "../inputs.ts";
import { contentsOf } from "./contents.ts";
import { propertiesOf } from "./databases.ts";
import type { TargetServer } from "./server.ts";
import { readMark } from "./unfinished.ts";

/**
 * Holds that a name that was typed is the target's.
 *
 * @throws {UserError} where it is not: whoever typed it meant something else.
 */
export function requireTypedRight(database: string, { replace }: Pick<Options, "replace">): void {
  if (replace === undefined || replace === database) return;
  throw new UserError({
    title: "The name that was typed is not the target's",
    cause: `replace is ${JSON.stringify(replace)}, and the target is the database ${JSON.stringify(database)}.`,
    remedy: "Look again which database is meant. Nothing was changed.",
  });
}

/**
 * Holds that the target is empty, or its name typed, or that it is the remains of an interrupted
 * restore.
 *
 * @throws {UserError} where it is not.
 */
export async function requireFree(
  server: TargetServer,
  maintenance: Session,
  options: Pick<Options, "replace" | "method">,
): Promise<void> {
  const former = await propertiesOf(maintenance, server.database);
  if (former === undefined) return;
  if (options.method === "in-place" && readMark(former.comment) !== undefined) return;
  await using session = await server.open(server.database);
  await isOccupied(session, server.database, options);
}

/**
 * Whether a database holds anything.
 *
 * @throws {UserError} where it does, and its name was not typed.
 */
export async function isOccupied(
  session: Session,
  database: string,
  { replace }: Pick<Options, "replace">,
): Promise<boolean> {
  const { count, examples } = await contentsOf(session);
  if (count === 0) return false;
  if (replace === database) return true;
  const more = count > examples.length ? ` and ${count - examples.length} more` : "";
  throw new UserError({
    title: "The target is not empty",
    cause: `Database ${database} holds ${examples.join(", ")}${more}, and replace is not given.`,
    remedy: `Give replace: ${database} to put the backup in its place; it is backed up before. Nothing was changed.`,
  });
}
