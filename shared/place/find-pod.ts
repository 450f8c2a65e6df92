import { nearestName, UserError } from "../failure/index.ts";
import type { Cluster, KubernetesObject } from "../kubernetes/index.ts";
import type { PodContainer } from "./pod-place.ts";

/** A pod, by its name or by what it belongs to. */
export interface PodSettings {
  /** The context's own when left out. */
  readonly namespace?: string | undefined;
  /** `db-0`, `pod/db-0`, `statefulset/db`, `deployment/db`, `service/db`, or labels: `app=db`. */
  readonly target: string;
  /** Needed where the pod has several, and none is marked as the default one. */
  readonly container?: string | undefined;
}

interface Pod extends KubernetesObject {
  readonly spec: { readonly containers: readonly { readonly name: string }[] };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly name: string; readonly ready: boolean }[];
  };
}

interface Selecting extends KubernetesObject {
  readonly spec?: { readonly selector?: unknown };
}

const KINDS: Readonly<Record<string, readonly [apiVersion: string, kind: string]>> = {
  statefulset: ["apps/v1", "StatefulSet"],
  sts: ["apps/v1", "StatefulSet"],
  deployment: ["apps/v1", "Deployment"],
  deploy: ["apps/v1", "Deployment"],
  daemonset: ["apps/v1", "DaemonSet"],
  replicaset: ["apps/v1", "ReplicaSet"],
  service: ["v1", "Service"],
  svc: ["v1", "Service"],
};

/**
 * Finds a ready pod and the container that is meant. Of several, one whose labels say that it is
 * the primary is taken before others, then the first by name.
 *
 * @param hints names of containers, of which one is likely to be meant where a pod has several.
 * @throws {UserError} when there is no such pod, none is ready, or the container is not clear.
 */
export async function findPod(
  cluster: Cluster,
  settings: PodSettings,
  hints: readonly string[] = [],
): Promise<PodContainer> {
  const namespace = settings.namespace ?? cluster.namespace;
  const pods = await candidates(cluster, namespace, settings.target);
  const ready = pods.filter(isReady).sort(byRoleAndName);
  const [pod] = ready;
  if (pod === undefined) throw noneReady(pods, namespace, settings.target);
  return {
    namespace,
    pod: pod.metadata.name,
    container: containerOf(pod, settings.container, hints),
  };
}

async function candidates(
  cluster: Cluster,
  namespace: string,
  target: string,
): Promise<readonly Pod[]> {
  const pods = { apiVersion: "v1", kind: "Pod", namespace };
  if (/[=!,]|\sin\s/.test(target)) {
    return (await cluster.list<Pod>({ ...pods, labelSelector: target })).items;
  }
  const [kind, name = ""] = target.includes("/") ? target.split("/", 2) : ["pod", target];
  if (/^(pods?|po)$/i.test(kind ?? "")) {
    const pod = await cluster.find<Pod>({ ...pods, name });
    if (pod === undefined) throw await unknown(cluster, { ...pods, name });
    return [pod];
  }
  const known = KINDS[(kind ?? "").toLowerCase().replace(/(.)s$/, "$1")] ?? KINDS[kind ?? ""];
  if (known === undefined) throw unknownKind(target);
  const [apiVersion, kindName] = known;
  const ref = { apiVersion, kind: kindName, namespace, name };
  const owner = await cluster.find<Selecting>(ref);
  if (owner === undefined) throw await unknown(cluster, ref);
  const labelSelector = labelsOf(owner);
  if (labelSelector === "") return [];
  return (await cluster.list<Pod>({ ...pods, labelSelector })).items;
}

/** What an object selects its pods by, as a list request takes it. */
function labelsOf({ spec }: Selecting): string {
  const selector = (spec?.selector ?? {}) as Record<string, unknown>;
  const structured = "matchLabels" in selector || "matchExpressions" in selector;
  const labels = (structured ? (selector.matchLabels ?? {}) : selector) as Record<string, string>;
  const expressions = (structured ? (selector.matchExpressions ?? []) : []) as readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
  return [
    ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
    ...expressions.map(({ key, operator, values = [] }) => {
      if (operator === "Exists") return key;
      if (operator === "DoesNotExist") return `!${key}`;
      return `${key} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`;
    }),
  ].join(",");
}

function isReady({ metadata, status }: Pod): boolean {
  const terminating = (metadata as { deletionTimestamp?: unknown }).deletionTimestamp !== undefined;
  return (
    !terminating &&
    (status?.conditions ?? []).some(({ type, status: is }) => type === "Ready" && is === "True")
  );
}

/** The labels of the common operators that tell a server's role. */
const ROLE_LABELS = [
  "role",
  "cnpg.io/instanceRole",
  "spilo-role",
  "postgres-operator.crunchydata.com/role",
  "app.kubernetes.io/component",
];

function byRoleAndName(a: Pod, b: Pod): number {
  const rank = ({ metadata }: Pod) =>
    ROLE_LABELS.some((label) => /^(primary|master)$/.test(metadata.labels?.[label] ?? "")) ? 0 : 1;
  return rank(a) - rank(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

function containerOf(pod: Pod, wanted: string | undefined, hints: readonly string[]): string {
  const names = pod.spec.containers.map(({ name }) => name);
  const marked = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const [only, second] = names;
  const found =
    wanted === undefined
      ? [marked, second === undefined ? only : undefined, ...hints].find(
          (name) => name !== undefined && names.includes(name),
        )
      : names.find((name) => name === wanted);
  if (found !== undefined) return found;
  const near = wanted === undefined ? undefined : nearestName(wanted, names);
  throw new UserError({
    title: `Which container of pod ${pod.metadata.name}?`,
    cause:
      wanted === undefined
        ? `Pod ${pod.metadata.name} has ${names.length} containers, and none was chosen.`
        : `Pod ${pod.metadata.name} has no container ${wanted}${near === undefined ? "" : `; did you mean ${near}?`}`,
    remedy: `Its containers are: ${names.join(", ")}.`,
  });
}

function noneReady(pods: readonly Pod[], namespace: string, target: string): UserError {
  const states = pods.map(({ metadata, status }) => `${metadata.name} (${status?.phase ?? "?"})`);
  return new UserError({
    title: `No ready pod of ${target}`,
    cause:
      pods.length === 0
        ? `${target} selects no pod in namespace ${namespace}.`
        : `No pod of ${target} in namespace ${namespace} is ready: ${states.slice(0, 10).join(", ")}.`,
    remedy: "Wait until it is ready, or name another one.",
  });
}

async function unknown(
  cluster: Cluster,
  ref: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  },
): Promise<UserError> {
  const { name, ...kind } = ref;
  const others = await cluster.list(kind).catch(() => ({ items: [] }));
  const names = others.items.map(({ metadata }) => metadata.name);
  const near = nearestName(name, names);
  return new UserError({
    title: `No ${ref.kind} ${name}`,
    cause: `Namespace ${ref.namespace} has no ${ref.kind} ${name}${near === undefined ? "" : `; did you mean ${near}?`}`,
    remedy: `Check the name and the namespace. There: ${names.slice(0, 20).join(", ") || "none that can be seen"}.`,
  });
}

function unknownKind(target: string): UserError {
  return new UserError({
    title: "Which pod?",
    cause: `${target} names no pod, and nothing that has pods.`,
    remedy:
      "Name a pod (db-0), a workload (statefulset/db, deployment/db), a Service (service/db), or labels (app=db,role=primary).",
  });
}
