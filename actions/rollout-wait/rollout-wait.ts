import type { Outcome } from "../../shared/action/index.ts";
import {
  briefReport,
  connect,
  nameOf,
  rolloutFailure,
  type Target,
  waitForRollout,
} from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";
import { assertAsked, findTargets } from "./find-targets.ts";
import type { Options, OutputName } from "./inputs.ts";
import { summarize } from "./summary.ts";

/** Waits until what was asked for is out, or says why it is not. Changes nothing. */
export async function rolloutWait(options: Options, world: World): Promise<Outcome<OutputName>> {
  const deadline = world.clock.now() + options.timeout;
  assertAsked(options);
  const cluster = await connect(options, world);
  const targets = await findTargets(options, cluster, world);

  if (targets.length === 0) world.log.warning(NOTHING, "Nothing to wait for");
  else world.log.info(`Waiting for ${told(targets)} (${cluster.server}).`);
  const graces = {
    crashes: options.restartsAllowed + 1,
    unschedulable: options.unschedulableGrace,
  };
  const report = await waitForRollout(cluster, targets, { deadline, world, graces });

  const failure = rolloutFailure(report);
  if (failure === undefined && targets.length > 0)
    world.log.info(`All ready after ${report.seconds} s.`);
  return {
    outputs: {
      reason: report.cause?.reason ?? "",
      seconds: report.seconds,
      report: briefReport(report),
    },
    summary: summarize(report),
    failure,
  };
}

const NOTHING = "What was asked for holds only settings, hooks and the like: nothing is checked.";
const MOST_NAMED = 20;

/** `deployment/web, statefulset/db in namespace shop`, each namespace with its own. */
function told(targets: readonly Target[]): string {
  const shown = targets.slice(0, MOST_NAMED);
  const rest = targets.length - shown.length;
  const places = Map.groupBy(shown, ({ namespace }) => namespace);
  const groups = [...places].map(([namespace, here]) => {
    const names = here.map((target) => `${nameOf(target)}${demandOf(target)}`).join(", ");
    return namespace === undefined ? names : `${names} in namespace ${namespace}`;
  });
  return `${groups.join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`;
}

function demandOf({ demand }: Target): string {
  return demand === undefined ? "" : ` (${demand.text})`;
}
