import type { KubernetesObject, ObjectMeta } from "../object.ts";
import type {
  ClusterEvent,
  ContainerSpec,
  ContainerStatus,
  Pod,
  PodSpec,
  Probe,
} from "../workload.ts";

/** Makes a copy that keeps what verdicts read. */
export type Lean = (object: KubernetesObject) => KubernetesObject;

/** All fields of a type: the compiler asks for one that is added to the type and not to the list. */
type Fields<T> = { readonly [K in keyof Required<T>]: true };

const METADATA: Fields<ObjectMeta> = {
  name: true,
  namespace: true,
  uid: true,
  generation: true,
  resourceVersion: true,
  creationTimestamp: true,
  deletionTimestamp: true,
  labels: true,
  annotations: true,
  ownerReferences: true,
};
const { annotations: _, ...METADATA_OF_PODS } = METADATA;
const POD_SPEC: Fields<PodSpec> = {
  containers: true,
  initContainers: true,
  nodeName: true,
  restartPolicy: true,
};
const POD_STATUS: Fields<NonNullable<Pod["status"]>> = {
  phase: true,
  reason: true,
  message: true,
  startTime: true,
  conditions: true,
  containerStatuses: true,
  initContainerStatuses: true,
};
const CONTAINER: Fields<ContainerSpec> = {
  name: true,
  image: true,
  restartPolicy: true,
  readinessProbe: true,
  livenessProbe: true,
  startupProbe: true,
  resources: true,
};
const PROBE: Fields<Probe> = {
  initialDelaySeconds: true,
  periodSeconds: true,
  timeoutSeconds: true,
  failureThreshold: true,
  successThreshold: true,
  httpGet: true,
  tcpSocket: true,
  grpc: true,
  exec: true,
};
const STATUS: Fields<ContainerStatus> = {
  name: true,
  image: true,
  imageID: true,
  ready: true,
  started: true,
  restartCount: true,
  state: true,
  lastState: true,
};
const EVENT: Fields<ClusterEvent> = {
  apiVersion: true,
  kind: true,
  metadata: true,
  type: true,
  reason: true,
  message: true,
  count: true,
  firstTimestamp: true,
  lastTimestamp: true,
  eventTime: true,
  series: true,
  involvedObject: true,
};
const INVOLVED: Fields<ClusterEvent["involvedObject"]> = {
  kind: true,
  name: true,
  uid: true,
  fieldPath: true,
};

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
/** An event's words are shown, and some hold a whole answer of a registry. */
const LONGEST_WORDS = 2_000;

/**
 * How to copy the objects of a kind: without what no verdict reads, which is nine tenths of a
 * pod. A namespace may hold thousands of them.
 *
 * @param how `whole` for a kind of which a user demands something: what, only the user knows.
 */
export function leanOf(
  { apiVersion, kind }: KindOf,
  { whole, redact }: { readonly whole: boolean; readonly redact: (text: string) => string },
): Lean {
  if (whole) return withoutRecords;
  if (apiVersion === "v1" && kind === "Pod") return (object) => leanPod(object as Pod);
  if (kind === "Event") return (object) => leanEvent(object as unknown as ClusterEvent, redact);
  const group = apiVersion.split("/")[0];
  return group === "apps" || group === "batch" ? leanWorkload : withoutRecords;
}

interface KindOf {
  readonly apiVersion: string;
  readonly kind: string;
}

function leanPod({ apiVersion, kind, metadata, spec, status }: Pod): Pod {
  const containers = spec.containers.map(leanContainer);
  const initContainers = spec.initContainers?.map(leanContainer);
  const kept = status && {
    ...pick(status, POD_STATUS),
    ...(status.containerStatuses && {
      containerStatuses: status.containerStatuses.map(leanStatus),
    }),
    ...(status.initContainerStatuses && {
      initContainerStatuses: status.initContainerStatuses.map(leanStatus),
    }),
  };
  return {
    apiVersion,
    kind,
    metadata: pick(metadata, METADATA_OF_PODS),
    spec: { ...pick(spec, POD_SPEC), containers, ...(initContainers && { initContainers }) },
    ...(kept && { status: kept }),
  };
}

function leanContainer(container: ContainerSpec): ContainerSpec {
  const { readinessProbe, livenessProbe, startupProbe } = container;
  return {
    ...pick(container, CONTAINER),
    ...(readinessProbe && { readinessProbe: pick(readinessProbe, PROBE) }),
    ...(livenessProbe && { livenessProbe: pick(livenessProbe, PROBE) }),
    ...(startupProbe && { startupProbe: pick(startupProbe, PROBE) }),
  };
}

function leanStatus(status: ContainerStatus): ContainerStatus {
  return pick(status, STATUS);
}

function leanEvent(event: ClusterEvent, redact: (text: string) => string): ClusterEvent {
  const { metadata, involvedObject, message } = event;
  const { name, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    ...pick(event, EVENT),
    metadata: {
      name,
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      ...(creationTimestamp && { creationTimestamp }),
    },
    involvedObject: pick(involvedObject ?? {}, INVOLVED),
    ...(message && { message: redact(message).slice(0, LONGEST_WORDS) }),
  };
}

/** Of a pod template only the labels are read: a Service asks whose pods it selects. */
function leanWorkload(object: KubernetesObject): KubernetesObject {
  const { spec, data: _, ...rest } = withoutRecords(object) as Workload;
  if (spec === undefined) return rest;
  const { template, jobTemplate: _jobs, volumeClaimTemplates: _claims, ...kept } = spec;
  const labels = template?.metadata?.labels;
  const lean = { ...kept, ...(labels && { template: { metadata: { labels } } }) };
  return { ...rest, spec: lean } as KubernetesObject;
}

interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly labels?: ObjectMeta["labels"] } };
    readonly jobTemplate?: unknown;
    readonly volumeClaimTemplates?: unknown;
  };
  /** Of a ControllerRevision: the whole template. */
  readonly data?: unknown;
}

/** Without the records of who set which field, and of what was last applied. */
function withoutRecords(object: KubernetesObject): KubernetesObject {
  const { annotations, ...metadata } = pick(object.metadata, METADATA);
  if (annotations === undefined) return { ...object, metadata };
  const { [LAST_APPLIED]: _, ...kept } = annotations;
  return { ...object, metadata: { ...metadata, annotations: kept } };
}

function pick<T extends object>(from: T, fields: { readonly [K in keyof T]?: true }): T {
  const kept: Partial<T> = {};
  for (const field in fields) {
    const value = from[field];
    if (value !== undefined && value !== null) kept[field] = value;
  }
  return kept as T;
}
