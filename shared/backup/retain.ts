import { UserError } from "../failure/index.ts";
import type { Storage } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import { type Catalogue, catalogue, type Listed } from "./catalogue.ts";
import { folderOf, MANIFEST } from "./identity.ts";
import { judgeKeep, type KeepCandidate, type KeepDecision, type KeepSettings } from "./keep.ts";
import { type BackupHistory, isDamaged, provenTier, readHistory } from "./verifications.ts";
import { withdraw } from "./withdraw.ts";

export interface Retained {
  /** Of all backups of the series, oldest first. */
  readonly decisions: readonly KeepDecision[];
  /** Ids of those that are gone, or would be in a dry run. */
  readonly deleted: readonly string[];
  /** What was decided on each, a line each, without a full stop. */
  readonly words: readonly string[];
  /** What could not be deleted, or should be gone and is not. */
  readonly failure: UserError | undefined;
}

/**
 * Deletes what retention does not keep, after all that it needs to know has been read: on half a
 * view nothing is deleted. Each manifest goes first, so that what an interruption leaves does not
 * count. Then the storage is asked what it still has.
 *
 * @throws {UserError} where the storage cannot be read.
 */
export async function retain(
  storage: Storage,
  name: string,
  settings: KeepSettings,
  { dryRun, written }: { readonly dryRun: boolean; readonly written?: string },
  world: World,
): Promise<Retained> {
  const before = await catalogue(storage, name, world.signal);
  const histories = await readHistory(storage, before, { limit: Infinity }, world.signal);
  const now = world.clock.now();
  const seen = candidatesOf(before, histories);
  const unneeded = judgeKeep(seen, settings, now, written).filter(({ keep }) => !keep);
  const locks = await locksOn(storage, name, unneeded, world);
  const candidates = seen.map((each) => ({
    ...each,
    lockedUntil: locks.get(each.id) ?? each.lockedUntil,
  }));
  const decisions = judgeKeep(candidates, settings, now, written);
  const doomed = decisions.filter(({ keep }) => !keep).map(({ id }) => id);
  const words = decisions.map((each) => wordsFor(each, dryRun));
  if (dryRun) return { decisions, deleted: doomed, words, failure: undefined };
  const folders = new Map([...before.backups, ...before.incomplete].map((each) => [each.id, each]));
  const left = await deleteAll(
    storage,
    doomed.flatMap((id) => folders.get(id) ?? []),
    world,
  );
  const after = await catalogue(storage, name, world.signal);
  const remaining = new Set([...after.backups, ...after.incomplete].map(({ id }) => id));
  const gone = doomed.filter((id) => !remaining.has(id));
  const failure = gone.length < doomed.length ? notGone(doomed, gone, left) : undefined;
  return { decisions, deleted: gone, words, failure };
}

/** The locks on those that would go. No listing of a bucket tells them, so each manifest is asked for. */
async function locksOn(
  storage: Storage,
  name: string,
  decisions: readonly KeepDecision[],
  { signal }: World,
): Promise<ReadonlyMap<string, number>> {
  const locks = new Map<string, number>();
  for (const { id } of decisions) {
    const found = await storage.stat(`${folderOf(name, id)}${MANIFEST}`, signal);
    if (found?.lockedUntil !== undefined) locks.set(id, found.lockedUntil);
  }
  return locks;
}

function candidatesOf(
  { backups, incomplete }: Catalogue,
  histories: readonly BackupHistory[],
): KeepCandidate[] {
  const known = new Map(histories.map((each) => [each.listed.id, each]));
  return [...backups, ...incomplete]
    .map(({ id, began, isComplete, lockedUntil, touched }) => {
      const history = known.get(id);
      const verifications = history?.verifications ?? [];
      const isUnknown = isComplete && history?.manifest === undefined;
      return {
        ...{ id, began, isComplete, lockedUntil, touched },
        ...{ proven: provenTier(verifications), isDamaged: isDamaged(verifications) },
        unknown: isUnknown ? "its manifest cannot be read" : undefined,
      };
    })
    .sort((a, b) => a.began - b.began || (a.id < b.id ? -1 : 1));
}

function wordsFor({ id, keep, reasons }: KeepDecision, dryRun: boolean): string {
  if (keep) return `${id} is kept: ${reasons.join("; ")}`;
  return `${id} ${dryRun ? "would be deleted" : "is deleted"}: no rule keeps it`;
}

async function deleteAll(
  storage: Storage,
  doomed: readonly Listed[],
  world: World,
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { folder } of doomed) {
    world.signal.throwIfAborted();
    left.push(...(await withdraw(storage, folder, world.signal)));
  }
  world.signal.throwIfAborted();
  return left;
}

function notGone(
  doomed: readonly string[],
  gone: readonly string[],
  left: readonly string[],
): UserError {
  const stay = doomed.filter((id) => !gone.includes(id));
  return new UserError({
    title: "Old backups could not be deleted",
    cause: `${stay.length} of ${doomed.length} backups that retention does not keep are still there: ${stay.slice(0, 10).join(", ")}${stay.length > 10 ? " and more" : ""}.`,
    remedy:
      "Let the credentials delete objects below the backups' prefix; what is locked goes when its time is over.",
    ...(left.length > 0 ? { evidence: left.join("\n") } : {}),
  });
}
