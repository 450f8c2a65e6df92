import type { StoredBackup } from "../../../shared/backup/index.ts";
import {
  bucketFingerprint,
  bucketSource,
  holdListing,
  planRestore,
  type RestorePlan,
  restoreObjects,
} from "../../../shared/bucket/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import type { Finding } from "../../../shared/proof/index.ts";
import {
  openTargetBucket,
  type StorageSettings,
  type TargetBucket,
} from "../../../shared/storage/index.ts";
import { backUpBefore } from "../backup-before.ts";
import type { Options } from "../inputs.ts";
import type { Means, Restored } from "../restored.ts";
import { targetSettings } from "./settings.ts";

/**
 * Restores a backup of a bucket into a real one. What is there is compared first, and what would be
 * replaced or removed is backed up; then objects are sent that are not right yet, each held to the
 * server's word; what the backup does not have goes last, when all else is proven. An interrupted
 * run is gone on with: what is right already is not sent again.
 */
export async function restoreBucket(backup: StoredBackup, means: Means): Promise<Restored> {
  const { options, world, journal } = means;
  const { signal } = world;
  const fingerprint = bucketFingerprint(await backup.fingerprint(signal));
  const settings = targetSettings(options, fingerprint.place);
  requireApart(settings, means);
  using target = await journal.phase("connect", () => openTargetBucket(settings, world));
  const plan = await journal.phase("compare", () =>
    planRestore(backup, fingerprint, { target, patterns: options.paths }, signal),
  );
  requireLeave(target, plan, options);
  requireUnlocked(target, plan);
  const previousBackup = await backUpChanged(settings, plan, means);
  const began = world.clock.now();
  world.log.info(
    `Restoring into ${target.place}: ${plan.objects - plan.right.size} objects to send, ${plan.right.size} are right already, ${plan.removed.length} to remove`,
  );
  const sent = await journal
    .phase("restore", () => restoreObjects(backup, fingerprint, { target, plan }, world))
    .catch((error: unknown) => {
      throw interrupted(error, target);
    });
  const listed = await journal.phase("prove", () =>
    holdListing(backup, fingerprint, { target, plan }, signal),
  );
  const proven = [...sent.findings, ...listed];
  const removal = proven.length > 0 ? [] : await removeOthers(target, plan, means);
  const findings = [...proven, ...removal];
  const isRight = findings.length === 0;
  return {
    target: `bucket ${target.place}`,
    findings: [...findings, ...notesOn(plan, proven.length > 0)],
    items: [
      {
        name: fingerprint.place,
        ...{ expected: plan.objects, found: sent.right, same: isRight, bytes: plan.bytes },
      },
    ],
    unit: "objects",
    unknown: [
      "Access rules, lifecycle and other settings of the bucket itself are not kept, and were not restored.",
      "Versions that objects had before, and storage classes, are not restored.",
    ],
    restoreSeconds: (world.clock.now() - began) / 1_000,
    ...{ previousBackup, previousDatabase: undefined },
    ...{ isSwitched: isRight, isTouched: sent.sent > 0 || plan.removed.length > 0 || isRight },
  };
}

/** @throws {UserError} where the backups would be among what is replaced or removed. */
function requireApart({ location, endpoint }: StorageSettings, { options, storage }: Means): void {
  const end = (place: string) => `${place.replace(/\/+$/, "")}/`;
  const isSameServer = endpoint === options.storageEndpoint;
  const series = `${end(storage.place)}${options.name ?? ""}`;
  const isAround = end(storage.place).startsWith(end(location));
  if (!isSameServer || !(isAround || end(location).startsWith(end(series)))) return;
  throw new UserError({
    title: "The bucket holds the backups themselves",
    cause: `${location} and the backups in ${series} are one within the other: a restore would remove them.`,
    remedy: "Restore to another prefix or bucket. Nothing was changed.",
  });
}

/** @throws {UserError} where something would be lost, and the target's name was not typed. */
function requireLeave(
  { place }: TargetBucket,
  { replaced, removed }: RestorePlan,
  { replace, target }: Options,
): void {
  const changed = [...replaced, ...removed];
  if (changed.length === 0 || replace !== undefined) return;
  const more = changed.length > 5 ? ` and ${changed.length - 5} more` : "";
  throw new UserError({
    title: "The target is not empty",
    cause: `${place} holds ${replaced.length} objects that are others in the backup and ${removed.length} that it does not have (${changed.slice(0, 5).join(", ")}${more}), and replace is not given.`,
    remedy: `Give replace: ${target} to make it what the backup is; they are backed up before. Nothing was changed.`,
  });
}

/** @throws {UserError} where objects are locked that would have to go. */
function requireUnlocked({ place }: TargetBucket, { locked }: RestorePlan): void {
  if (locked.length === 0) return;
  throw new UserError({
    title: "Objects of the bucket are locked",
    cause: `${locked.length} objects of ${place} are not in the backup, and cannot be removed now.`,
    remedy:
      "Restore to another prefix or bucket, or wait until the locks are over; paths restores some objects and leaves others alone. Nothing was changed.",
    evidence: locked.slice(0, 10).join("\n"),
  });
}

async function backUpChanged(
  settings: StorageSettings,
  { replaced, removed }: RestorePlan,
  means: Means,
): Promise<string | undefined> {
  const only = new Set([...replaced, ...removed]);
  if (only.size === 0) return undefined;
  const source = bucketSource({ ...settings, only });
  return await means.journal.phase("back up before", () => backUpBefore(source, means));
}

/** Removes what the backup does not have, which is the last thing that is done. */
async function removeOthers(
  target: TargetBucket,
  { removed }: RestorePlan,
  { world, journal }: Means,
): Promise<readonly Finding[]> {
  if (removed.length === 0) return [];
  const keeps = await target.keepsVersions(world.signal);
  const where = keeps === true ? "; the bucket keeps them as earlier versions" : "";
  world.log.info(`Removing ${removed.length} objects that the backup does not have${where}`);
  const refused = await journal.phase("remove", () => target.remove(removed, world.signal));
  return refused.map(({ name, reason }) => ({
    ...{ detector: "object-count", tier: "full", weight: "damage", subject: name },
    what: `It is not in the backup, and could not be removed: ${reason}.`,
  }));
}

function notesOn({ earlier, removed }: RestorePlan, isUnproven: boolean): Finding[] {
  const note = (subject: string, what: string): Finding => ({
    ...{ detector: "object-count", tier: "full", weight: "note", subject, what },
  });
  return [
    ...(earlier === 0
      ? []
      : [
          note("versions", `${earlier} earlier versions are in the backup, and were not restored.`),
        ]),
    ...(isUnproven && removed.length > 0
      ? [note("removal", `${removed.length} objects that the backup does not have were left.`)]
      : []),
  ];
}

function interrupted(error: unknown, { place }: TargetBucket): unknown {
  if (!(error instanceof UserError)) return error;
  const { title, cause, remedy, evidence } = error;
  return new UserError(
    {
      title,
      cause: `${cause} ${place} holds some of the backup now, and what was not in the backup is still there.`,
      remedy: `${remedy} Then run again: what was sent is not sent again.`,
      ...(evidence === undefined ? {} : { evidence }),
    },
    { reason: error },
  );
}
