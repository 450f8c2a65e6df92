import { UserError } from "../../../../shared/failure/index.ts";

/**
 * Which database of a cluster is restored: the one that was named, else that of the target's name,
 * else the only one beside `postgres`. Pure.
 *
 * @throws {UserError} where it is not there, or it is not clear which is meant; names those that are.
 */
export function chooseDatabase(
  there: readonly string[],
  { named, target }: { readonly named: string | undefined; readonly target: string },
): string {
  const others = there.filter((name) => name !== "postgres");
  const [only] = others;
  const meant = named ?? (there.includes(target) ? target : others.length === 1 ? only : undefined);
  if (meant !== undefined && there.includes(meant)) return meant;
  const list = there.length === 0 ? "none" : there.join(", ");
  throw new UserError({
    title: "The database is not in the backup",
    cause: `${named ?? target} is none of the databases of the cluster as it was at that moment: ${list}.`,
    remedy:
      "Give source-database, the name of one of them; or another moment, where it was made later or dropped before. The target was not touched.",
  });
}
