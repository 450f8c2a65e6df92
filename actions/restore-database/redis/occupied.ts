import { UserError } from "../../../shared/failure/index.ts";
import type { RedisTarget, Unfinished } from "../../../shared/redis/index.ts";
import type { Options } from "../inputs.ts";

/** What a target has before the restore. */
export interface Contents {
  /** Keys by the numbers of the databases that are meant; none that has none. */
  readonly keys: ReadonlyMap<number, number>;
  /** Libraries of functions; 0 where one database is meant. */
  readonly libraries: number;
}

/**
 * Holds that a name that was typed is the target's.
 *
 * @throws {UserError} where it is not: whoever typed it meant something else.
 */
export function requireTypedRight({ name, words }: RedisTarget, { replace }: Options): void {
  if (replace === undefined || replace === name) return;
  throw new UserError({
    title: "The name that was typed is not the target's",
    cause: `replace is ${JSON.stringify(replace)}, and the target, ${words}, is called ${JSON.stringify(name)}.`,
    remedy: "Look again which server is meant. Nothing was changed.",
  });
}

/**
 * Whether a target holds anything.
 *
 * @param interrupted a restore in place that was not done: its name was typed then.
 * @throws {UserError} where it does, and its name was not typed.
 */
export function isOccupied(
  { name, words }: RedisTarget,
  { keys, libraries }: Contents,
  interrupted: Unfinished | undefined,
  { replace }: Options,
): boolean {
  if (keys.size === 0 && libraries === 0) return false;
  if (replace === name || interrupted !== undefined) return true;
  const held = [...keys].map(
    ([database, count]) => `${count} ${count === 1 ? "key" : "keys"} in database ${database}`,
  );
  if (libraries > 0) {
    held.push(libraries === 1 ? "1 library of functions" : `${libraries} libraries of functions`);
  }
  throw new UserError({
    title: "The target is not empty",
    cause: `${words} holds ${held.join(", ")}, and replace is not given.`,
    remedy: `Give replace: ${name} to put the backup in their place; they are backed up before. Nothing was changed.`,
  });
}
