import { nearestName, UserError } from "../failure/index.ts";
import type { Cluster } from "./cluster.ts";
import type { KubernetesObject } from "./object.ts";

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
  /** Number or name of a port of the Service; may be left out when it has one port only. */
  readonly port?: number | string | undefined;
}

export interface ReadyPod {
  readonly namespace: string;
  readonly pod: string;
  /** The pod's own port, which the Service's port leads to. */
  readonly port: number;
}

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
}

export interface Service extends KubernetesObject {
  readonly spec: {
    readonly type?: string;
    readonly externalName?: string;
    readonly ports?: readonly ServicePort[];
    readonly selector?: Readonly<Record<string, string>>;
  };
}

export interface EndpointSlice extends KubernetesObject {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints?:
    | readonly {
        readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
        readonly targetRef?: { readonly kind?: string; readonly name?: string };
      }[]
    | null;
}

/** The Service is there and selects pods, but none of them is ready yet: waiting can help. */
export class NoReadyPod extends UserError {}

/**
 * A ready pod behind a Service, and the port of the pod that the Service's port leads to, as the
 * EndpointSlices say. With several ready pods, the first by name.
 *
 * @throws {NoReadyPod} when no pod is ready.
 * @throws {UserError} when there is no such Service or port, or it selects no pods at all.
 */
export async function readyPodOfService(cluster: Cluster, ref: ServiceRef): Promise<ReadyPod> {
  const { namespace, name } = ref;
  const service = await findService(cluster, ref);
  const port = choosePort(service, ref.port);
  const slices = await cluster.list<EndpointSlice>({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    namespace,
    labelSelector: `kubernetes.io/service-name=${name}`,
  });
  const [first] = readyPods(slices.items, port).sort((a, b) => (a.pod < b.pod ? -1 : 1));
  if (first === undefined) throw noReadyPod(service, slices.items);
  return { namespace, ...first };
}

/**
 * The Service itself.
 *
 * @throws {UserError} naming the nearest one when there is none of this name.
 */
export async function findService(
  cluster: Cluster,
  { namespace, name }: ServiceRef,
): Promise<Service> {
  const kind = { apiVersion: "v1", kind: "Service", namespace };
  const service = await cluster.find<Service>({ ...kind, name });
  if (service !== undefined) return service;
  const others = await cluster.list(kind).catch(() => ({ items: [] }));
  const names = others.items.map(({ metadata }) => metadata.name);
  const near = nearestName(name, names);
  throw new UserError({
    title: `No Service ${name}`,
    cause: `Namespace ${namespace} has no Service ${name}${near === undefined ? "" : `; did you mean ${near}?`}`,
    remedy: `Check the name and the namespace. Services there: ${names.slice(0, 20).join(", ") || "none that can be seen"}.`,
  });
}

/**
 * The port that is meant, by number or by name.
 *
 * @throws {UserError} when the Service has none such, or has several and none is named.
 */
export function choosePort(service: Service, wanted: number | string | undefined): ServicePort {
  refuseAlias(service);
  // A port-forward carries TCP only.
  const ports = (service.spec.ports ?? []).filter(({ protocol = "TCP" }) => protocol === "TCP");
  const [only] = ports;
  if (wanted === undefined && ports.length === 1 && only !== undefined) return only;
  const found = ports.find(({ name, port }) => name === wanted || String(port) === String(wanted));
  if (wanted !== undefined && found !== undefined) return found;
  const list = ports.map(({ name, port }) => (name ? `${port} (${name})` : `${port}`)).join(", ");
  throw new UserError({
    title: `Which port of Service ${service.metadata.name}?`,
    cause:
      wanted === undefined
        ? ports.length === 0
          ? `Service ${service.metadata.name} has no TCP port.`
          : `Service ${service.metadata.name} has ${ports.length} ports, and none was chosen.`
        : `Service ${service.metadata.name} has no TCP port ${wanted}.`,
    remedy: `Its TCP ports are: ${list || "none"}.`,
  });
}

/**
 * @throws {UserError} for a Service that has no pods by its nature.
 */
export function refuseAlias({ metadata, spec }: Service): void {
  if (spec.type === "ExternalName") throw alias(metadata.name, spec.externalName);
}

function alias(name: string, externalName: string | undefined): UserError {
  return new UserError({
    title: `Service ${name} is an alias`,
    cause: `Service ${name} is of type ExternalName: a DNS alias of ${externalName ?? "another host"}, without pods to forward to.`,
    remedy: "Ask the host that it stands for directly, by its URL.",
  });
}

/** The pods of slices that take traffic now, with their port. */
export function readyPods(
  slices: readonly EndpointSlice[],
  { name }: ServicePort,
): { pod: string; port: number }[] {
  return slices.flatMap((slice) => {
    // A slice names its ports as the Service does; an unnamed one has the empty name.
    const port = slice.ports?.find((candidate) => (candidate.name ?? "") === (name ?? ""))?.port;
    if (port === undefined) return [];
    return readyNamesOf(slice).map((pod) => ({ pod, port }));
  });
}

/** The names of the pods of a slice that take traffic now. */
export function readyNamesOf({ endpoints }: EndpointSlice): readonly string[] {
  return (endpoints ?? []).flatMap(({ conditions, targetRef }) => {
    // Absent means ready, says the API.
    const ready = conditions?.ready !== false && conditions?.terminating !== true;
    const pod = targetRef?.kind === "Pod" ? targetRef.name : undefined;
    return ready && pod !== undefined ? [pod] : [];
  });
}

/** Why the slices lead to no pod. */
export function noReadyPod(service: Service, slices: readonly EndpointSlice[]): UserError {
  const { name, namespace } = service.metadata;
  const all = slices.flatMap((slice) => slice.endpoints ?? []);
  const selector = Object.entries(service.spec.selector ?? {}).map(([k, v]) => `${k}=${v}`);
  const title = `Nothing serves ${name}`;
  if (selector.length === 0) {
    return new UserError({
      title,
      cause: `Service ${name} selects no pods, so that there is none to forward to.`,
      remedy: "Give the Service a selector, or ask what it stands for directly.",
    });
  }
  const ready = all.filter(({ conditions }) => conditions?.ready !== false).length;
  if (ready > 0) {
    return new NoReadyPod({
      title,
      cause: `${ready} of the ${all.length} pods behind Service ${name} in namespace ${namespace} ${ready === 1 ? "is" : "are"} ready, but none has the port that the Service's port leads to.`,
      remedy: "Compare the Service's targetPort with the names of the containers' ports.",
    });
  }
  return new NoReadyPod({
    title,
    cause:
      all.length === 0
        ? `No pod in namespace ${namespace} matches the selector of Service ${name} (${selector.join(",")}).`
        : `None of the ${all.length} pods behind Service ${name} in namespace ${namespace} is ready.`,
    remedy: "Wait for the rollout first, or compare the Service's selector with the pods' labels.",
  });
}
