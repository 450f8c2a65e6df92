import { UserError } from "../failure/index.ts";
import type { StorageAccess } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import type { Fetch } from "./fetch.ts";
import type { Lsn } from "./segment.ts";
import { millisecondsOf, type RecoveryTarget } from "./target.ts";

/** Where the repository of a tool is. */
export type RepositoryPlace = Exclude<StorageAccess, { readonly kind: "artifact" }>;

/** Base backups and WAL in a form that only the tool reads that wrote them. */
export interface Repository extends AsyncDisposable {
  /** The command that lists its backups. */
  readonly listing: string;
  /**
   * Oldest first.
   *
   * @throws {UserError} where the tool is not there, cannot read the repository, or knows of none.
   */
  backups(world: World): Promise<readonly RepositoryBackup[]>;
  /** Gets a backup, as far as the tool lets it be read. */
  fetch(set: RepositoryBackup, world: World): Fetch;
}

/** A backup in a repository, as its tool tells it. */
export interface RepositoryBackup {
  readonly label: string;
  /** Milliseconds since the Unix epoch. */
  readonly stopped: number;
  readonly bytes: number;
  readonly storedBytes: number;
  /** Whether pages with wrong checksums were seen when it was taken. */
  readonly failed: boolean;
  /** The tool's name of the archive that goes with it; empty where there is one only. */
  readonly archive: string;
  /** Where in the WAL it ended. */
  readonly ended: Lsn | undefined;
}

/**
 * The backup that is meant: the newest, or the newest that ended before the point in time.
 *
 * @param which `latest`, or a label, its beginning or its end.
 * @throws {UserError} where there is none, or it is not clear which; it names those that there are.
 */
export function chooseSet(
  backups: readonly RepositoryBackup[],
  which: string,
  target: RecoveryTarget | undefined,
  { listing }: Pick<Repository, "listing">,
): RepositoryBackup {
  if (which === "latest" || which === "") {
    const before = backups.findLast(
      ({ stopped }) => target === undefined || stopped <= millisecondsOf(target.time),
    );
    const one = before ?? backups.at(0);
    if (one !== undefined) return one;
  }
  const exact = backups.filter(({ label }) => label === which);
  const like = backups.filter(({ label }) => label.startsWith(which) || label.endsWith(which));
  const [one, ...more] = exact.length > 0 ? exact : like;
  if (one !== undefined && more.length === 0) return one;
  const names = backups.map(({ label }) => label).join(", ");
  throw new UserError({
    title: one === undefined ? "There is no such backup" : "It is not clear which backup is meant",
    cause:
      one === undefined
        ? `None of the repository's backups is "${which}"; there are ${names}.`
        : `${like.length} of the repository's backups are like "${which}": ${like.map(({ label }) => label).join(", ")}.`,
    remedy: `Give \`backup\` as a label that \`${listing}\` shows, or \`latest\`.`,
  });
}

/** A repository's tool ran, and failed. */
export class RepositoryFailed extends UserError {
  readonly said: string;

  constructor(tool: string, said: string, evidence: string, remedy: string) {
    super({ title: `${tool} failed`, cause: `${tool} said: ${said}.`, remedy, evidence });
    this.said = said;
  }
}

/** A file of the archive that its tool cannot give back. */
export class BrokenSegment extends UserError {
  constructor(name: string, what: string) {
    super({
      title: "Broken WAL",
      cause: `${name}: ${what}.`,
      remedy: "Take a new base backup: what comes after this segment cannot be recovered.",
    });
  }
}
