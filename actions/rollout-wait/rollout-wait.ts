import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import {
  type Cluster,
  connect,
  GRACES,
  nameOf,
  type ObjectRef,
  parseTarget,
  refOf,
  rolloutFailure,
  waitForRollout,
} from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options, OutputName } from "./inputs.ts";
import { summarize } from "./summary.ts";

/** Waits until what was asked for is out, or says why it is not. Changes nothing. */
export async function rolloutWait(options: Options, world: World): Promise<Outcome<OutputName>> {
  const deadline = world.clock.now() + options.timeout;
  const named = readTargets(options);
  const cluster = await connect(options, world);
  const namespace = options.namespace ?? cluster.namespace;
  const selected =
    options.selector === undefined ? [] : await select(cluster, namespace, options.selector, world);
  const targets = unique([...named, ...selected].map((ref) => ({ ...ref, namespace })));

  world.log.info(
    `Waiting for ${targets.map(nameOf).join(", ")} in namespace ${namespace} (${cluster.server}).`,
  );
  const graces = { crashes: options.restartsAllowed + 1 };
  const report = await waitForRollout(cluster, targets, { deadline, world, graces });

  const failure = rolloutFailure(report);
  if (failure === undefined) world.log.info(`All ready after ${report.seconds} s.`);
  return {
    outputs: { reason: report.cause?.reason ?? "", seconds: report.seconds, report },
    summary: summarize(report),
    failure,
  };
}

function readTargets({ resources = [], selector }: Options): ObjectRef[] {
  if (resources.length > 0 || selector !== undefined)
    return resources.map((text) => parseTarget(text));
  throw new UserError({
    title: "Nothing to wait for",
    cause: "Neither `resources` nor `selector` was given.",
    remedy: "Name what to wait for, for example `resources: deployment/web`.",
  });
}

function unique(targets: readonly ObjectRef[]): ObjectRef[] {
  return [...new Map(targets.map((ref) => [nameOf(ref), ref])).values()];
}

const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet"];

/** The workloads with these labels, which may come a moment late. */
async function select(
  cluster: Cluster,
  namespace: string,
  labelSelector: string,
  { clock, signal }: World,
): Promise<ObjectRef[]> {
  const giveUpAt = clock.now() + GRACES.absent;
  for (;;) {
    const lists = await Promise.all(
      WORKLOADS.map((kind) =>
        cluster.list({ apiVersion: "apps/v1", kind, namespace, labelSelector }),
      ),
    );
    const found = lists.flatMap(({ items }) => items.map(refOf));
    if (found.length > 0) return found;
    if (clock.now() >= giveUpAt) break;
    await clock.sleep(1_000, signal);
  }
  throw new UserError({
    title: "The selector finds nothing",
    cause: `No Deployment, StatefulSet or DaemonSet in namespace ${namespace} has the labels ${labelSelector}.`,
    remedy:
      "Check the labels of the workloads themselves (not those of their pods) and the namespace.",
  });
}
