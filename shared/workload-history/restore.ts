import { UserError } from "../failure/index.ts";
import { ApiError, type Cluster, nameOf, refOf } from "../kubernetes/index.ts";
import { abandonment } from "./abandoned.ts";
import type { RevisedWorkload } from "./history.ts";
import type { PodTemplate, WorkloadRevision } from "./revision.ts";

const CHANGE_CAUSE = "kubernetes.io/change-cause";
const RECORD = "seaworthy.dev/rollback";

/** Who went back, and why; kept at the workload. */
export interface RollbackRecord {
  readonly by: string;
  readonly reason: string;
  readonly from: string;
  readonly to: string;
  /** RFC 3339. */
  readonly at: string;
  /** Address of the run's page. */
  readonly run?: string | undefined;
}

/**
 * Gives a workload the template of an earlier revision, as `kubectl rollout undo` does, and writes
 * down who did so and why. Nothing happens when the specification was changed since it was read.
 *
 * @throws {UserError} when it was changed meanwhile.
 * @throws {ApiError} when the API server refuses the change.
 */
export async function restoreTemplate(
  cluster: Cluster,
  workload: RevisedWorkload,
  template: PodTemplate,
  record: RollbackRecord,
  { dryRun = false } = {},
): Promise<void> {
  const { uid, generation, annotations } = workload.metadata;
  const note = `back to ${record.to} by ${record.by}: ${record.reason}`;
  const operations = [
    { op: "test", path: "/metadata/uid", value: uid },
    { op: "test", path: "/metadata/generation", value: generation },
    ...(annotations === undefined ? [{ op: "add", path: "/metadata/annotations", value: {} }] : []),
    { op: "add", path: `/metadata/annotations/${escaped(RECORD)}`, value: JSON.stringify(record) },
    { op: "add", path: `/metadata/annotations/${escaped(CHANGE_CAUSE)}`, value: note },
    { op: "replace", path: "/spec/template", value: template },
  ];
  try {
    await cluster.patch(refOf(workload), operations, "json", { dryRun });
  } catch (error) {
    const failedTest =
      error instanceof ApiError && /testing value|test operation/.test(error.apiMessage);
    if (!failedTest) throw error;
    throw new UserError(
      {
        title: "Somebody else changed it meanwhile",
        cause: `${nameOf(refOf(workload))} was changed after its history was read.`,
        remedy: "Look at what was changed, then run again. It was left as it is.",
      },
      { reason: error },
    );
  }
}

/** Marks a revision as one that somebody went back from, so that nobody goes back to it. */
export async function markAbandoned(
  cluster: Cluster,
  { keeper, revision }: WorkloadRevision,
  reason: string,
): Promise<void> {
  await cluster.patch(refOf(keeper), {
    metadata: { annotations: abandonment(revision, reason) },
  });
}

/** A key as a part of a JSON Pointer (RFC 6901, section 3). */
function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
