import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { nameOf } from "../../shared/images/index.ts";
import type { Stored } from "../../shared/retention/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { OutputName } from "./inputs.ts";
import { freedBy, type Judgement, missingOf } from "./judgement.ts";
import type { Pruned } from "./prune-repository.ts";
import type { DeletedImage, Story } from "./story.ts";
import { summarize } from "./summary.ts";

/** The step's outcome: outputs, a report of every decision, the summary. */
export async function outcomeOf(
  pruned: readonly Pruned[],
  story: Story,
  world: World,
): Promise<Outcome<OutputName>> {
  const judgements = pruned.map(({ judgement }) => judgement);
  const missing = missingOf(judgements, story.uses);
  for (const one of missing) {
    world.log.warning(`${one}, is not in the registry.`, "An image in use is missing");
  }
  for (const note of story.notes) world.log.warning(note);
  const images = pruned.flatMap(imagesOf);
  const freed = freedBy(judgements.map((each, at) => asDone(each, pruned[at])));
  const failure = failureOf(pruned, world.signal);
  const seconds = Math.round(story.journal.elapsed() / 100) / 10;
  const kept = judgements
    .flatMap(({ judged }) => judged)
    .filter(({ keep, stored }) => keep && stored.tags.length > 0).length;
  const report = await writeReport(pruned, world);
  const dryRun = story.options.mode === "dry-run";
  world.log.info(
    `${images.length} images ${dryRun ? "would be" : "were"} deleted, ${kept} with tags kept`,
  );
  const told = { images, freed, kept, missing, seconds, failure };
  return {
    outputs: { deleted: images, kept, "freed-bytes": freed, missing, report, seconds },
    summary: summarize(pruned, told, story),
    failure,
  };
}

/** The images at the heads of what was deleted, or would be. */
function imagesOf({ judgement, deletions }: Pruned): readonly DeletedImage[] {
  const done = deletions && new Set(deletions.deleted.map(({ digest }) => digest));
  return judgement.groups.flatMap((group): DeletedImage[] => {
    const [head, ...others] = group;
    if (head === undefined || done?.has(head.digest) === false) return [];
    const created = head.time === undefined ? "" : new Date(head.time).toISOString();
    const repository = nameOf(judgement.repository);
    return [{ repository, digest: head.digest, tags: head.tags, created, parts: others.length }];
  });
}

/** The judgement as if only what really was deleted had been to be deleted. */
function asDone(judgement: Judgement, pruned: Pruned | undefined): Judgement {
  const deletions = pruned?.deletions;
  if (deletions === undefined) return judgement;
  const done = new Set(deletions.deleted.map(({ digest }) => digest));
  const judged = judgement.judged.map((each) => ({ ...each, keep: !done.has(each.stored.digest) }));
  return { ...judgement, judged };
}

function failureOf(pruned: readonly Pruned[], signal: AbortSignal): UserError | undefined {
  const failures = pruned.flatMap(({ deletions }) => deletions?.failures ?? []);
  const broken = pruned.flatMap(({ proof }) => proof?.broken ?? []);
  const remaining = pruned.flatMap(({ proof }) => proof?.remaining ?? []);
  if (broken.length > 0) {
    return new UserError({
      title: "An image that was kept is not whole",
      cause: `After the deletion the registry lacks parts of what was kept: ${some(broken)}.`,
      remedy:
        "Build and push these images again. Look for a clean-up of the registry's own that runs at the same time; the damage may also be older than this run.",
    });
  }
  if (failures.length > 0) return severalFailures(failures, pruned);
  if (remaining.length > 0) {
    return new UserError({
      title: "The registry still has what it said it deleted",
      cause: `${some(remaining)}.`,
      remedy:
        "Look for a cache before the registry, or for a job that pushes the same tags; then run again.",
    });
  }
  const left = pruned.reduce((sum, { deletions }) => sum + (deletions?.left ?? 0), 0);
  const cancelled = signal.aborted && signal.reason instanceof UserError;
  if (!cancelled) return undefined;
  const { title, cause, remedy } = signal.reason as UserError;
  return new UserError(
    {
      title,
      cause: `${cause} ${left} images were left to be deleted; each that was begun is wholly gone.`,
      remedy,
    },
    { reason: signal.reason },
  );
}

function severalFailures(failures: readonly UserError[], pruned: readonly Pruned[]): UserError {
  const [first] = failures;
  const left = pruned.reduce((sum, { deletions }) => sum + (deletions?.left ?? 0), 0);
  const done = pruned.reduce((sum, { deletions }) => sum + (deletions?.deleted.length ?? 0), 0);
  return new UserError({
    title: first?.title ?? "",
    cause: [...new Set(failures.map(({ cause }) => cause))].slice(0, 10).join("\n"),
    remedy: `${first?.remedy ?? ""} ${done === 0 ? "Nothing was deleted." : `${done} manifests were deleted.`}${left === 0 ? "" : ` ${left} images were not tried.`}`,
  });
}

function some(texts: readonly string[]): string {
  const rest = texts.length > 5 ? `; and ${texts.length - 5} more` : "";
  return `${texts.slice(0, 5).join("; ")}${rest}`;
}

/** Every decision with its reasons, as JSON in a file: there may be thousands. */
async function writeReport(pruned: readonly Pruned[], { environment }: World): Promise<string> {
  const folder = environment.RUNNER_TEMP || tmpdir();
  const file = join(folder, `prune-images-${process.pid}.json`);
  const entry = ({ digest, tags, kind, time }: Stored) => ({
    ...{ digest, tags, kind },
    created: time === undefined ? null : new Date(time).toISOString(),
  });
  const report = pruned.map(({ judgement, deletions, proof, spared }) => ({
    repository: nameOf(judgement.repository),
    agesFrom: judgement.contents.timedBy,
    kept: judgement.judged
      .filter(({ keep }) => keep)
      .map(({ stored, reasons }) => ({ ...entry(stored), reasons })),
    toDelete: judgement.groups.map((group) => group.map(entry)),
    ...(deletions && {
      deleted: deletions.deleted.map(({ digest }) => digest),
      failures: deletions.failures.map(({ cause }) => cause),
      spared,
      proof,
    }),
  }));
  await mkdir(folder, { recursive: true });
  await writeFile(file, JSON.stringify(report, null, 1));
  return file;
}
