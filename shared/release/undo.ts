import { describe, UserError } from "../failure/index.ts";
import { standingOf } from "../helm/index.ts";
import type { Journal } from "../journal/index.ts";
import type { World } from "../world/index.ts";
import type { Ground } from "./own.ts";
import { untilBack } from "./put-back.ts";
import { type Restored, type RollBackOptions, rollBackTo } from "./roll-back.ts";
import { historyOf, noteProof, type ReleaseTools } from "./tools.ts";

export interface UndoOptions extends RollBackOptions {
  /** What becomes of a release that fails; one that is cancelled goes back in any case. */
  readonly onFailure: "rollback" | "keep";
}

/** What came of it, and what the failed run had made. */
export interface Undone extends Restored {
  /** The number of the revision that failed; undefined when none was made. */
  readonly made: number | undefined;
}

/**
 * After a failure or a cancellation: puts a release back to where it was, where it was touched: to
 * the last good revision, or uninstalled when there was none before.
 *
 * @throws {UserError} when the release could not be put back.
 */
export async function undo(
  ground: Ground,
  tools: ReleaseTools,
  options: UndoOptions,
  world: World,
  journal: Journal,
): Promise<Undone> {
  const history = await untilBack(tools, world);
  // Where nobody says otherwise, it is still ours.
  const ours = await ground.lease?.confirm().catch(() => true);
  if (ours === false) throw ground.lease?.lost.reason;
  const newest = history.filter(({ revision }) => revision > ground.highest).at(-1);
  const before = ground.good?.revision;
  if (newest === undefined) {
    const came = "The release was not touched.";
    return { came, made: undefined, rolledBack: false, running: before };
  }
  const made = newest.revision;
  await noteProof(tools, made, "unproven", world);
  const left = { made, rolledBack: false, running: made };
  if (options.onFailure === "keep" && !world.signal.aborted) {
    return { ...left, came: `Revision ${made} was kept as it is, as \`on-failure: keep\` asks.` };
  }
  if (ground.good !== undefined) {
    return { made, ...(await rollBackTo(ground.good, tools, options, world, journal)) };
  }
  if (!ground.fresh) {
    const why = "no earlier revision was ever good, so there is none to go back to";
    return { ...left, came: `It was left as it is: ${why}.` };
  }
  await uninstall(ground, tools, world, journal);
  const came = "It was a first install: it was uninstalled.";
  return { made, came, rolledBack: true, running: undefined };
}

async function uninstall(
  ground: Ground,
  tools: ReleaseTools,
  world: World,
  journal: Journal,
): Promise<void> {
  // Who uninstalled with --keep-history before wants to keep it.
  const keepHistory = ground.history.at(-1)?.status === "uninstalled";
  await journal.phase("uninstall", () => tools.helm.uninstall({ keepHistory }, world.aftermath));
  const cluster = tools.cluster.boundTo(world.aftermath);
  const left = await historyOf({ ...tools, cluster });
  if (standingOf(left).state === "absent") return;
  const { name } = tools.release;
  throw new UserError({
    title: "The first install is still there",
    cause: `Helm uninstalled ${name}, but its records are still in the cluster.`,
    remedy: `Run \`helm uninstall ${name}\` by hand.`,
  });
}

/**
 * A failure together with what came of putting the release back. When that failed too, both
 * causes are told, the first one first: it is what made the second necessary.
 */
export function withUndo(failure: UserError, came: string | UserError): UserError {
  const { title, cause, remedy, evidence, at } = failure;
  if (typeof came === "string") {
    const parts = { title, cause, remedy: `${came} ${remedy}`, at };
    return new UserError(evidence === undefined ? parts : { ...parts, evidence }, {
      reason: failure,
    });
  }
  const evidences = [evidence, came.evidence].filter((text) => text !== undefined);
  return new UserError(
    {
      title: `${title}; and the release could not be put back`,
      cause: `${cause}\nThen: ${came.title}: ${came.cause}`,
      remedy: came.remedy === remedy ? remedy : `${came.remedy} ${remedy}`,
      ...(evidences.length === 0 ? {} : { evidence: evidences.join("\n\n") }),
      at,
    },
    { reason: failure },
  );
}

/** Anything thrown, as something that can be told beside the first failure. */
export function asUserError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  return new UserError(
    {
      title: "Putting the release back failed",
      cause: `${describe(error)}.`,
      remedy: "Run the job again: it heals what is left.",
    },
    { reason: error },
  );
}
