import {
  type Cluster,
  type KubernetesObject,
  NoReadyPod,
  type View,
  viewOf,
} from "../../shared/kubernetes/index.ts";
import type { Target } from "../../shared/probe/index.ts";
import type { RunningPod } from "../../shared/workload/index.ts";
import type { Pods } from "./check-spec.ts";
import type { ClusterTrouble } from "./cluster-trouble.ts";
import { notThere } from "./not-there.ts";
import type { WorkloadName } from "./workload-name.ts";

/** The fields of a workload that tell which pods are its own. */
interface Workload extends KubernetesObject {
  readonly spec: {
    readonly selector: {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly Expression[];
    };
  };
}

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface PodWithConditions extends RunningPod {
  readonly status?: RunningPod["status"] & {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

interface Means {
  readonly cluster: Cluster;
  readonly trouble: ClusterTrouble;
  readonly signal: AbortSignal;
}

/** The pods of a workload, for commands to run in: the ready ones, the newest first. */
export function workloadTarget(
  name: string,
  workload: WorkloadName & { readonly namespace: string },
  pods: Pods,
  { cluster, trouble, signal }: Means,
): Target {
  let view: View<PodWithConditions> | undefined;
  return {
    name,
    async ways() {
      return trouble.around(async () => {
        view ??= viewOf(cluster, await collectionOf(cluster, workload), signal);
        const ready = readyPods(await view.items());
        if (ready.length === 0) throw notReady(workload, await view.items());
        return (pods === "every" ? ready : ready.slice(0, 1)).map((pod) => ({ pod }));
      });
    },
    failed: async (reason) => reason,
  };
}

async function collectionOf(
  cluster: Cluster,
  { kind, name, namespace }: WorkloadName & { readonly namespace: string },
) {
  const pods = { apiVersion: "v1", kind: "Pod", namespace };
  if (kind === "Pod") return { ...pods, fieldSelector: `metadata.name=${name}` };
  const found = await cluster.find<Workload>({ apiVersion: "apps/v1", kind, namespace, name });
  if (found !== undefined) return { ...pods, labelSelector: selectorText(found) };
  throw await notThere(cluster, { apiVersion: "apps/v1", kind, namespace, name });
}

/** A selector as the API server takes it in a query. */
export function selectorText({ spec }: Workload): string {
  const { matchLabels = {}, matchExpressions = [] } = spec.selector;
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(",")})`;
  });
  return [...labels, ...expressions].join(",");
}

/** Names of the pods that are ready and not about to go, the newest first. */
export function readyPods(pods: readonly PodWithConditions[]): readonly string[] {
  const isReady = ({ metadata, status }: PodWithConditions) =>
    metadata.deletionTimestamp === undefined &&
    status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") === true;
  const made = ({ metadata }: PodWithConditions) => metadata.creationTimestamp ?? "";
  return pods
    .filter(isReady)
    .toSorted(
      (a, b) => made(b).localeCompare(made(a)) || (a.metadata.name < b.metadata.name ? -1 : 1),
    )
    .map(({ metadata }) => metadata.name);
}

function notReady({ kind, name }: WorkloadName, pods: readonly PodWithConditions[]): NoReadyPod {
  const what = kind === "Pod" ? `Pod ${name}` : `${kind} ${name}`;
  const none = kind === "Pod" ? "it does not exist" : "it has no pods";
  const some = kind === "Pod" ? "it is not ready" : `none of its ${pods.length} pods is ready`;
  return new NoReadyPod({
    title: `No ready pod of ${what}`,
    cause: `${what} has no pod to run a command in: ${pods.length === 0 ? none : some}.`,
    remedy: "Wait for the rollout first, or check the name and the namespace.",
  });
}
