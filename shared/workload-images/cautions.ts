import { UserError } from "../failure/index.ts";
import type { WorkloadChange } from "./change.ts";
import { guardianOf } from "./guardian.ts";
import type { LiveWorkload } from "./live-workload.ts";

/** A live workload that is looked at, and what is to change of it, if anything. */
export interface Concerned {
  readonly workload: LiveWorkload;
  readonly change: WorkloadChange | undefined;
}

interface WorkloadSpec {
  readonly spec?: {
    readonly paused?: boolean;
    readonly suspend?: boolean;
    readonly replicas?: number;
    readonly updateStrategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly partition?: number };
    };
  };
}

/**
 * @throws {UserError} for Deployments that are paused and would have to roll.
 */
export function refusePaused(concerned: readonly Concerned[]): void {
  const paused = concerned.filter(
    ({ workload, change }) =>
      change !== undefined && (workload.object as WorkloadSpec).spec?.paused === true,
  );
  if (paused.length === 0) return;
  const names = paused.map(({ workload }) => workload.title);
  throw new UserError({
    title: "A paused Deployment would not roll out",
    cause: `${names.join(", ")} ${names.length === 1 ? "is" : "are"} paused: a new image would be written down and nothing would move.`,
    remedy: `Run \`kubectl rollout resume ${names[0]}\`, then run again. Nothing was changed.`,
  });
}

/** What of a workload's settings keeps pods from being replaced at once. */
export function cautionsOf({ title, object }: LiveWorkload): readonly string[] {
  const { spec = {} } = object as WorkloadSpec;
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  const partition = rollingUpdate?.partition ?? 0;
  return [
    ...(type === "OnDelete"
      ? [`${title} has the strategy OnDelete: its pods take the image when somebody deletes them`]
      : []),
    ...(partition > 0
      ? [`${title} has the partition ${partition}: pods with lower numbers keep their image`]
      : []),
    ...(object.kind === "CronJob"
      ? [
          `${title} uses the image at its next run${spec.suspend === true ? ", and is suspended" : ""}`,
        ]
      : []),
    ...(spec.replicas === 0 ? [`${title} is scaled to 0: no pod runs the image`] : []),
  ];
}

/** What else may undo a change of a workload. */
export function warningsOf({ title, object }: LiveWorkload): readonly string[] {
  const guardian = guardianOf(object);
  return guardian === undefined ? [] : [`${title}: ${guardian}`];
}
