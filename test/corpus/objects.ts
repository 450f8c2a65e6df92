import type { KubernetesObject } from "../../shared/kubernetes/index.ts";
import type { Place } from "./case.ts";

/** How a workload differs from a plain one. */
export interface Parts {
  readonly replicas?: number;
  /** Without the readiness probe that the main container has else. */
  readonly unprobed?: boolean;
  /** Of the main container. */
  readonly container?: object;
  /** Of the pod's specification. */
  readonly pod?: object;
  /** Of the pod's metadata. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of the workload's specification. */
  readonly spec?: object;
}

/** A container that serves HTTP on 8080 by a shell's small server. */
function server(place: Place, more: object) {
  return {
    name: "main",
    image: place.image,
    command: ["httpd", "-f", "-p", "8080", "-h", "/etc"],
    ports: [{ name: "http", containerPort: 8080 }],
    ...more,
  };
}

const PROBE = { readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } };

/** What the main container runs in place of its server. */
export function script(text: string): { readonly command: readonly string[] } {
  return { command: ["sh", "-c", text] };
}

/** The server, once something else is done. */
export function serveAfter(text: string): { readonly command: readonly string[] } {
  return script(`${text}; exec httpd -f -p 8080 -h /etc`);
}

function template(place: Place, name: string, parts: Parts) {
  return {
    metadata: { labels: { app: name }, annotations: parts.annotations ?? {} },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [server(place, { ...(parts.unprobed ? {} : PROBE), ...parts.container })],
      ...parts.pod,
    },
  };
}

function workload(kind: string, place: Place, name: string, parts: Parts) {
  const { namespace } = place;
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace },
    spec: {
      ...(kind === "DaemonSet" ? {} : { replicas: parts.replicas ?? 1 }),
      ...(kind === "StatefulSet" ? { serviceName: name } : {}),
      selector: { matchLabels: { app: name } },
      template: template(place, name, parts),
      ...parts.spec,
    },
  };
}

export function deployment(place: Place, name: string, parts: Parts = {}) {
  return workload("Deployment", place, name, parts);
}

export function statefulSet(place: Place, name: string, parts: Parts = {}) {
  return workload("StatefulSet", place, name, parts);
}

export function daemonSet(place: Place, name: string, parts: Parts = {}) {
  return workload("DaemonSet", place, name, parts);
}

export function job(place: Place, name: string, parts: Parts = {}) {
  const { image, namespace } = place;
  const pod = {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image, ...parts.container }],
    ...parts.pod,
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace },
    spec: { template: { spec: pod }, ...parts.spec },
  };
}

/** An object of the core group with whatever it holds. */
export function core(place: Place, kind: string, name: string, content: object = {}) {
  return { apiVersion: "v1", kind, metadata: { name, namespace: place.namespace }, ...content };
}

export function configMap(place: Place, name: string, data: Readonly<Record<string, string>> = {}) {
  return core(place, "ConfigMap", name, { data });
}

/** A volume on the node's disk, kept for one claim of the case. */
export function volume(place: Place, claim: string, more: object = {}): KubernetesObject {
  const { namespace } = place;
  const spec = {
    capacity: { storage: "1Mi" },
    accessModes: ["ReadWriteOnce"],
    storageClassName: "",
    claimRef: { namespace, name: claim },
    hostPath: { path: `/tmp/${namespace}-${claim}`, type: "DirectoryOrCreate" },
    ...more,
  };
  return volumeOf(`${namespace}-${claim}`, spec);
}

function volumeOf(name: string, spec: object) {
  return { apiVersion: "v1", kind: "PersistentVolume", metadata: { name }, spec };
}

export function claim(place: Place, name: string, more: object = {}) {
  return core(place, "PersistentVolumeClaim", name, { spec: claimSpec(more) });
}

export function claimSpec(more: object = {}) {
  return {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "",
    resources: { requests: { storage: "1Mi" } },
    ...more,
  };
}

/** A volume of the pod and where the main container has it. */
export function mounted(source: object, mount: object = {}): Pick<Parts, "container" | "pod"> {
  return {
    pod: { volumes: [{ name: "volume", ...source }] },
    container: { volumeMounts: [{ name: "volume", mountPath: "/volume", ...mount }] },
  };
}

/** Picks this namespace for a rule of the whole cluster, by the label that each one has. */
export function onlyHere({ namespace }: Place) {
  return { matchLabels: { "kubernetes.io/metadata.name": namespace } };
}

/** A webhook that is asked about every new pod of the namespace, and whose server is away. */
export function webhook(place: Place, failurePolicy: "Fail" | "Ignore" = "Fail"): KubernetesObject {
  const { namespace } = place;
  const hook = {
    name: "pods.guard.example.com",
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    failurePolicy,
    timeoutSeconds: 2,
    namespaceSelector: onlyHere(place),
    clientConfig: { service: { namespace, name: "guard", path: "/" } },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
  };
  const configuration = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: namespace },
    webhooks: [hook],
  };
  return configuration;
}
