import { describe, UserError } from "../../shared/failure/index.ts";
import { objectsOf, type Revision, readHistory, standingOf } from "../../shared/helm/index.ts";
import type { Journal } from "../../shared/journal/index.ts";
import {
  type Cluster,
  type RolloutReport,
  Unreachable,
  waitForRecovery,
} from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Facts } from "./facts.ts";
import type { Options } from "./inputs.ts";
import type { Ground } from "./ownership.ts";
import type { Tools } from "./prepare.ts";
import { targetsOf } from "./watch-rollout.ts";

/**
 * After a failure or a cancellation: puts the release back to where it was, where it was touched,
 * and says in one sentence what came of it. Helm itself is never cut off here by a cancellation,
 * only by the end of the time that is left after one: half a rollback is worse than none.
 *
 * @throws {UserError} when the release could not be put back.
 */
export async function undo(
  ground: Ground,
  tools: Tools,
  options: Options,
  world: World,
  journal: Journal,
  facts: Facts,
): Promise<string> {
  const cluster = tools.cluster.boundTo(world.aftermath);
  const history = await historyWhenBack(cluster, tools, world);
  // Where nobody says otherwise, it is still ours.
  const ours = await ground.lease?.confirm().catch(() => true);
  if (ours === false) throw ground.lease?.lost.reason;
  const made = history.filter(({ revision }) => revision > ground.highest);
  const newest = made.at(-1);
  if (newest === undefined) {
    facts.running = ground.good?.revision;
    return "The release was not touched.";
  }
  facts.revision ??= newest;
  if (options.onFailure === "keep" && !world.signal.aborted) {
    facts.running = newest.revision;
    return `Revision ${newest.revision} was kept as it is, as \`on-failure: keep\` asks.`;
  }
  if (ground.good !== undefined) {
    return rollBack(ground.good, newest, tools, options, world, journal, facts);
  }
  if (!ground.fresh) {
    facts.running = newest.revision;
    return "It was left as it is: no earlier revision was ever good, so there is none to go back to.";
  }
  // Who uninstalled with --keep-history before wants to keep it.
  const keepHistory = ground.history.at(-1)?.status === "uninstalled";
  await journal.phase("uninstall", () => tools.helm.uninstall({ keepHistory }, world.aftermath));
  facts.rolledBack = true;
  facts.running = undefined;
  const left = await readHistory(cluster, { ...tools.release, storage: tools.storage });
  if (standingOf(left).state !== "absent") throw notGone(tools.release.name);
  return "It was a first install: it was uninstalled.";
}

/** An API server that was away when the upgrade failed may be back in a moment. */
const UNTIL_BACK_MS = 30_000;
const LOOK_MS = 1_000;

async function historyWhenBack(
  cluster: Cluster,
  { release, storage }: Tools,
  { clock, signal }: World,
): Promise<readonly Revision[]> {
  const giveUpAt = clock.now() + UNTIL_BACK_MS;
  for (;;) {
    try {
      return await readHistory(cluster, { ...release, storage });
    } catch (error) {
      const away = error instanceof Unreachable && error.transient;
      const worthIt = away && !signal.aborted && clock.now() < giveUpAt;
      if (!worthIt) throw error;
      await clock.sleep(LOOK_MS);
    }
  }
}

async function rollBack(
  good: Revision,
  newest: Revision,
  tools: Tools,
  options: Options,
  world: World,
  journal: Journal,
  facts: Facts,
): Promise<string> {
  world.log.info(`Rolling back to revision ${good.revision}.`);
  await journal.phase("rollback", () => tools.helm.rollback(good.revision, world.aftermath));
  facts.rolledBack = true;
  facts.running = newest.revision + 1;
  const done = `Rolled back to revision ${good.revision} (now revision ${facts.running})`;
  facts.recovery = await journal.phase("recovery", () => recover(good, tools, options, world));
  if (facts.recovery.verdict === "cancelled") return `${done}; its pods were not waited for.`;
  if (facts.recovery.verdict === "ready") return `${done}, which is healthy.`;
  journal.markFailed();
  throw new UserError({
    title: "The rollback failed too",
    cause: `${done}, and that is not healthy either: ${facts.recovery.cause?.message ?? "it was not ready in time"}`,
    remedy: "Look at the pods now: neither the new nor the old revision runs well.",
  });
}

/** Waits for the pods of the revision that was put back. */
async function recover(
  good: Revision,
  { cluster, release }: Tools,
  { timeout }: Options,
  world: World,
): Promise<RolloutReport> {
  const targets = targetsOf(objectsOf(good.manifest), release.namespace);
  return waitForRecovery(cluster, targets, { deadline: world.clock.now() + timeout, world });
}

function notGone(release: string): UserError {
  return new UserError({
    title: "The first install is still there",
    cause: `Helm uninstalled ${release}, but its records are still in the cluster.`,
    remedy: `Run \`helm uninstall ${release}\` by hand.`,
  });
}

/**
 * The failure together with what came of putting the release back. When that failed too, both
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
