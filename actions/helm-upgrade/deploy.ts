import { UserError } from "../../shared/failure/index.ts";
import { objectsOf, type Revision, standingOf } from "../../shared/helm/index.ts";
import { awaitedTargets, rolloutFailure, waitForRollout } from "../../shared/kubernetes/index.ts";
import {
  type Ground,
  HookWatch,
  hooksOf,
  keptText,
  noteProof,
  ownedWorld,
  patiently,
} from "../../shared/release/index.ts";
import { configGrace, proveImages, workloadsOf } from "../../shared/workload/index.ts";
import { applyDefinitions } from "./definitions.ts";
import type { Preflight } from "./preflight.ts";
import type { Run } from "./run.ts";

/**
 * Has Helm make the new revision, waits until its workloads are ready, proves their images, and
 * notes on Helm's record that it works.
 *
 * @throws {UserError} with the cause, when anything of it fails.
 */
export async function deploy(ground: Ground, checked: Preflight, given: Run): Promise<void> {
  const run = { ...given, world: ownedWorld(given.world, ground) };
  const { world, options, facts, journal, tools } = run;
  const until = world.clock.now() + options.timeout;
  if (checked.kept.length > 0) world.log.info(`${keptText(checked.kept)}: that is kept.`);
  if (options.crds === "apply") {
    const definitions = await tools.definitions;
    await journal.phase("definitions", () => applyDefinitions(definitions, run, until));
  }
  const revision = await journal.phase("upgrade", () => apply(ground, checked, run, until));
  facts.revision = revision.revision;
  facts.running = revision.revision;
  world.log.info(
    `Revision ${revision.revision} of ${options.release} is applied (${revision.chart}).`,
  );
  const marked = noteProof(tools, revision.revision, "unproven", world);
  await journal.phase("rollout", () => rollOut(revision, ground, run, until));
  if (tools.placed.length > 0) {
    await journal.phase("proof", () => patiently(() => prove(revision, run), until, world));
  }
  await marked;
  await noteProof(tools, revision.revision, "proven", world);
}

/** Has Helm apply the release and run its hooks, which are watched meanwhile. */
async function apply(
  { history }: Ground,
  { rendering, kept }: Preflight,
  { tools, world, facts }: Run,
  until: number,
): Promise<Revision> {
  const { helm, chart, values, cluster, release, flags, postRendering } = tools;
  const doing = standingOf(history).state === "absent" ? "install" : "upgrade";
  const hooks = hooksOf(rendering.hooks, doing);
  const watch = await HookWatch.begin(hooks, { cluster, ...release }, until, world);
  const signal = AbortSignal.any([world.signal, watch.failed]);
  try {
    return await postRendering.during(kept, (more) => {
      const left = Math.max(1_000, until - world.clock.now());
      return helm.upgrade(chart, values, left, signal, { ...flags, ...more });
    });
  } catch (error) {
    const explained = await watch.explain(error);
    facts.hookCause = watch.cause;
    throw explained;
  } finally {
    await watch.stop();
  }
}

/** Waits until every workload of the revision is ready, or one has failed. */
async function rollOut(revision: Revision, { good }: Ground, run: Run, until: number) {
  const { tools, world, options, facts, journal } = run;
  const objects = objectsOf(revision.manifest);
  const targets = awaitedTargets(objects, tools.release.namespace);
  const deadline = Math.max(until, world.clock.now() + 1_000);
  const graces = {
    crashes: options.restartsAllowed + 1,
    config: configGrace(objects, good && objectsOf(good.manifest)),
  };
  const wait = () => waitForRollout(tools.cluster, targets, { deadline, world, graces });
  const report = await patiently(wait, deadline, world);
  facts.rollout = report;
  if (report.verdict === "cancelled") throw world.signal.reason;
  const failure = rolloutFailure(report);
  if (failure === undefined) return;
  journal.markFailed();
  throw failure;
}

/** Asks the pods which images they run. */
async function prove(revision: Revision, { tools, world, facts }: Run): Promise<void> {
  const { cluster, placed, release } = tools;
  const workloads = workloadsOf(objectsOf(revision.manifest), release.namespace);
  facts.images = await proveImages(cluster, placed, workloads);
  for (const { service, verdict, detail } of facts.images) {
    if (verdict === "not-checked") {
      world.log.warning(`${service}: ${detail}.`, "An image could not be checked");
    }
  }
  const wrong = facts.images.find(({ verdict }) => verdict === "wrong");
  if (wrong === undefined) return;
  throw new UserError({
    title: "The pods run another image",
    cause: `${wrong.service} should run ${wrong.digest}, but ${wrong.detail}.`,
    remedy:
      "Something moved the tag or changed the pods on their way in: refer to the image by its digest in the chart.",
  });
}
