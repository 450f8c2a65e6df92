import { UserError } from "../failure/index.ts";
import type { Storage, StoredObject } from "../storage/index.ts";
import { checkSeriesName, folderOf, MANIFEST, timeOfId, VERIFICATIONS } from "./identity.ts";

/** A backup as the list of its files shows it; nothing of it was read. */
export interface Listed {
  readonly id: string;
  /** With its slash. */
  readonly folder: string;
  /** In milliseconds since the Unix epoch. */
  readonly began: number;
  /** With a manifest it counts as a backup, and is complete. */
  readonly isComplete: boolean;
  readonly files: readonly StoredObject[];
  /** Names of the verifications that are kept beside it, oldest first. */
  readonly verifications: readonly string[];
  /** When anything of it was last written, in milliseconds since the Unix epoch. */
  readonly touched: number;
  /** Until when some of it cannot be deleted. */
  readonly lockedUntil: number | undefined;
}

/** What a storage holds of a series. */
export interface Catalogue {
  readonly name: string;
  /** Complete ones, oldest first. */
  readonly backups: readonly Listed[];
  /** Without a manifest: being written, or left by a run that was killed. Oldest first. */
  readonly incomplete: readonly Listed[];
  /** Files in the series' folder that belong to no backup of ours. */
  readonly foreign: readonly StoredObject[];
}

/** Lists the backups of a series, with one listing. */
export async function catalogue(
  storage: Storage,
  name: string,
  signal: AbortSignal,
): Promise<Catalogue> {
  checkSeriesName(name);
  const folders = new Map<string, StoredObject[]>();
  const foreign: StoredObject[] = [];
  for await (const object of storage.list(`${name}/`, signal)) {
    const [, id = "", ...rest] = object.name.split("/");
    if (timeOfId(id) === undefined || rest.length === 0) foreign.push(object);
    else folders.set(id, [...(folders.get(id) ?? []), object]);
  }
  const all = [...folders].map(([id, files]) => listed(name, id, files));
  all.sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    ...{ name, foreign },
    backups: all.filter(({ isComplete }) => isComplete),
    incomplete: all.filter(({ isComplete }) => !isComplete),
  };
}

function listed(name: string, id: string, files: readonly StoredObject[]): Listed {
  const folder = folderOf(name, id);
  const began = timeOfId(id) ?? 0;
  const locks = files.flatMap(({ lockedUntil }) => lockedUntil ?? []);
  return {
    ...{ id, folder, began, files },
    isComplete: files.some((file) => file.name === `${folder}${MANIFEST}`),
    verifications: files
      .map((file) => file.name)
      .filter((file) => file.startsWith(`${folder}${VERIFICATIONS}`) && file.endsWith(".json"))
      .sort(),
    touched: Math.max(began, ...files.map(({ modified }) => modified)),
    lockedUntil: locks.length === 0 ? undefined : Math.max(...locks),
  };
}

/**
 * The backup that is meant.
 *
 * @param which `latest`, an id, the beginning of one that no other id has, or `before` and a
 *   moment in ISO 8601: the newest that began before it.
 * @throws {UserError} where there is none, or more than one; it names those that there are.
 */
export function chooseBackup({ name, backups, ...rest }: Catalogue, which: string): Listed {
  const wanted = which.trim();
  const moment = /^before\s+(\S.*)$/i.exec(wanted)?.[1];
  if (moment !== undefined) {
    const limit = timeIn(moment);
    const found = backups.filter(({ began }) => began < limit).at(-1);
    if (found !== undefined) return found;
    throw none(
      `${name} has no backup from before ${new Date(limit).toISOString()}.`,
      backups,
      rest,
    );
  }
  if (wanted === "" || wanted === "latest") {
    const newest = backups.at(-1);
    if (newest !== undefined) return newest;
    throw none(`${name} has no backup that is complete.`, backups, rest);
  }
  const found = backups.filter(({ id }) => id.startsWith(wanted));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  if (found.length > 1)
    throw none(`${found.length} backups of ${name} begin with "${wanted}".`, found, rest);
  const half = rest.incomplete.find(({ id }) => id.startsWith(wanted));
  const why = half === undefined ? "" : ` ${half.id} has no manifest: it was never finished.`;
  throw none(`${name} has no backup "${wanted}".${why}`, backups, rest);
}

function timeIn(text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new UserError({
    title: "No moment",
    cause: `"${text}" is no moment in time.`,
    remedy: "Write it as 2026-11-22T03:00:00Z.",
  });
}

function none(
  cause: string,
  backups: readonly Listed[],
  { incomplete, foreign }: Pick<Catalogue, "incomplete" | "foreign">,
): UserError {
  const more = backups.length > 10 ? ` and ${backups.length - 10} older` : "";
  const newest = backups.slice(-10).toReversed();
  const there = newest.map(({ id }) => id).join(", ");
  const beside = [
    incomplete.length > 0 ? `${incomplete.length} that were never finished` : "",
    foreign.length > 0 ? `${foreign.length} files that are no backups of this kind` : "",
  ].filter((each) => each !== "");
  return new UserError({
    title: "There is no such backup",
    cause: `${cause} ${there === "" ? "There is none at all" : `There are ${there}${more}`}${beside.length > 0 ? `; beside, ${beside.join(" and ")}` : ""}.`,
    remedy:
      there === ""
        ? "Check the storage and the name; run backup-database first."
        : "Name one of these, or `latest`.",
  });
}
