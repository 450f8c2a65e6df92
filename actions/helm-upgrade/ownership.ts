import { UserError } from "../../shared/failure/index.ts";
import {
  objectsOf,
  type Revision,
  readHistory,
  type Standing,
  standingOf,
} from "../../shared/helm/index.ts";
import { ApiError, type Cluster, unblockStatefulSets } from "../../shared/kubernetes/index.ts";
import {
  type Claim,
  type HeldLease,
  NamespaceMissing,
  newHolder,
  pageOf,
  type Taken,
  takeLease,
} from "../../shared/lease/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Tools } from "./prepare.ts";
import { targetsOf } from "./watch-rollout.ts";

/** How often a release that somebody else works on is looked at. */
const LOOK_MS = 1_000;

/** What this run starts from, once the release is its own. */
export interface Ground {
  /** Undefined when leases are forbidden. */
  readonly lease: HeldLease | undefined;
  /** Every revision that Helm had recorded. */
  readonly history: readonly Revision[];
  /** The last good revision; undefined when there is none to go back to. */
  readonly good: Revision | undefined;
  /** Nothing was installed before, or only by a run that died: a failure is uninstalled. */
  readonly fresh: boolean;
  /** The highest revision number before this run. */
  readonly highest: number;
}

/**
 * Makes the release this run's own: its lease is taken, and what a run that died left pending is
 * healed.
 */
export async function own(tools: Tools, options: Options, world: World): Promise<Ground> {
  const taken = await take(tools, options, world);
  try {
    return await ground(taken, tools, options, world);
  } catch (error) {
    await taken?.lease.release(tools.cluster.boundTo(world.aftermath));
    throw error;
  }
}

async function take(tools: Tools, options: Options, world: World): Promise<Taken | undefined> {
  const { cluster, release } = tools;
  const claim: Claim = {
    name: `seaworthy-${release.name}`,
    namespace: release.namespace,
    subject: `release ${release.name}`,
    holder: newHolder(world.environment),
    page: pageOf(world.environment),
  };
  const waiting = {
    clock: world.clock,
    signal: world.signal,
    timeout: options.timeout,
    onWait: (holder: string, page: string | undefined) => {
      const where = page === undefined ? "" : ` (${page})`;
      world.log.info(`${holder} is working on ${release.name}${where}: waiting for it to end.`);
    },
  };
  const taken = await takeLease(cluster, claim, waiting).catch(async (error: unknown) => {
    if (!(error instanceof NamespaceMissing) || !options.createNamespace) throw error;
    await createNamespace(cluster, release.namespace);
    world.log.info(`Made the namespace ${release.namespace}.`);
    return takeLease(cluster, claim, waiting);
  });
  if (taken === undefined) {
    if (options.createNamespace) await createNamespace(cluster, release.namespace);
    world.log.warning(
      `This user may not use leases in namespace ${release.namespace}, so nothing keeps two runs apart but Helm's own record: ` +
        `a pending revision counts as abandoned when it is older than the timeout.`,
    );
  } else if (taken.from !== undefined) {
    world.log.info(`Took the release over from ${taken.from}, which renewed its lease no more.`);
  }
  return taken;
}

async function ground(
  taken: Taken | undefined,
  tools: Tools,
  options: Options,
  world: World,
): Promise<Ground> {
  const { cluster, release, storage } = tools;
  const read = () => readHistory(cluster, { ...release, storage });
  let history = await read();
  let standing = standingOf(history);
  const abandoned = taken?.from !== undefined;
  if (standing.state === "pending") {
    if (!abandoned) ({ history, standing } = await settled(read, options, world));
    if (standing.state === "pending") {
      const good = goodOf(standing, history, notedGood(taken));
      await heal(standing.last, good, tools, world);
      history = await read();
      standing = standingOf(history);
    }
  }
  const highest = Math.max(0, ...history.map(({ revision }) => revision));
  const good = goodOf(standing, history, notedGood(taken));
  const fresh = standing.state === "absent" || notedGood(taken) === 0;
  return { lease: taken?.lease, history, good, fresh, highest };
}

/**
 * The revision to go back to. A run that died may have deployed revisions that nobody proved:
 * then the one that it had noted before it began counts, and 0 means that there was none.
 */
export function goodOf(
  standing: Standing,
  history: readonly Revision[],
  noted: number | undefined,
): Revision | undefined {
  if (standing.state === "absent") return undefined;
  if (noted === undefined) return standing.good;
  return history.find(({ revision }) => revision === noted);
}

/** Waits until a pending release settles by itself, or is so old that its maker must be dead. */
async function settled(
  read: () => Promise<readonly Revision[]>,
  options: Options,
  world: World,
): Promise<{ history: readonly Revision[]; standing: Standing }> {
  let told = false;
  for (;;) {
    const history = await read();
    const standing = standingOf(history);
    if (standing.state !== "pending") return { history, standing };
    const age = world.clock.now() - standing.last.updated;
    if (age >= options.timeout) return { history, standing };
    if (!told) {
      const { revision, status } = standing.last;
      world.log.info(
        `Revision ${revision} is ${status} since ${Math.round(age / 1_000)} s, by somebody without a lease: ` +
          `waiting up to ${Math.round((options.timeout - age) / 1_000)} s for it to settle.`,
      );
    }
    told = true;
    await world.clock.sleep(LOOK_MS, world.signal);
  }
}

/** Brings a release out of the state in which a run that died left it. */
async function heal(
  last: Revision,
  good: Revision | undefined,
  tools: Tools,
  world: World,
): Promise<void> {
  const { cluster, helm, release } = tools;
  const found = `Revision ${last.revision} of ${release.name} was left ${last.status} by a run that died`;
  try {
    if (good === undefined || last.status === "uninstalling") {
      world.log.info(`${found}, and no revision was ever good: uninstalling it.`);
      await helm.uninstall({ keepHistory: false }, world.aftermath);
    } else {
      world.log.info(`${found}: rolling back to revision ${good.revision}.`);
      await helm.rollback(good.revision, world.aftermath);
      const targets = targetsOf(objectsOf(good.manifest), release.namespace);
      await unblockStatefulSets(cluster.boundTo(world.aftermath), targets, world);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      {
        title: "A broken release could not be healed",
        cause: `${found}, and healing it failed: ${error.cause}`,
        remedy: error.remedy,
        ...(error.evidence === undefined ? {} : { evidence: error.evidence }),
      },
      { reason: error },
    );
  }
}

async function createNamespace(cluster: Cluster, name: string): Promise<void> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  const exists = (error: unknown) => error instanceof ApiError && error.status === 409;
  await cluster.create(namespace).catch((error: unknown) => {
    if (!exists(error)) throw error;
  });
}

/** The revision that a run which died had noted as good before it began; 0 when there was none. */
function notedGood(taken: Taken | undefined): number | undefined {
  return taken?.note === undefined ? undefined : Number(taken.note);
}
