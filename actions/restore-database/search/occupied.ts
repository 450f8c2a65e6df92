import { UserError } from "../../../shared/failure/index.ts";
import type { Occupants, SearchConnection } from "../../../shared/search-cluster/index.ts";
import type { Options } from "../inputs.ts";

const MOST_NAMED = 20;

/** The names of what is replaced. */
export function namesOf({ indices, streams }: Occupants): string[] {
  return [...indices.keys(), ...streams].sort();
}

/**
 * Holds that what is replaced was named: each index and data stream, or the cluster's name for all.
 *
 * @throws {UserError} where it was not, or something else was.
 */
export function requireTyped(
  { place, clusterName }: SearchConnection,
  occupants: Occupants,
  { replace }: Pick<Options, "replace">,
): void {
  const there = namesOf(occupants);
  if (replace === clusterName) return;
  const typed = new Set((replace ?? "").split(/[\s,]+/).filter((name) => name !== ""));
  const extra = [...typed].filter((name) => !there.includes(name));
  if (extra.length > 0) {
    throw new UserError({
      title: "What was typed is not at the target",
      cause: `replace names ${extra.join(", ")}. Of what is restored, ${place} has ${there.join(", ") || "nothing"}.`,
      remedy: `Give the names of those in replace, or that of the cluster, ${clusterName}, for all. Nothing was changed.`,
    });
  }
  const missing = there.filter((name) => !typed.has(name));
  if (missing.length === 0) return;
  const named = missing.slice(0, MOST_NAMED).join(", ");
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : "";
  throw new UserError({
    title: "The target has such indices",
    cause: `${place} has ${named}${more}, and replace does not name ${missing.length === 1 ? "it" : "them"}.`,
    remedy: `Give replace: ${there.length > MOST_NAMED ? clusterName : there.join(" ")} to put the backup in their place${there.length > MOST_NAMED ? "" : `, or replace: ${clusterName} for all that is restored`}; they are backed up before. Nothing was changed.`,
  });
}
