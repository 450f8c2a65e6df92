import { nearestName, UserError } from "../failure/index.ts";

/** A kind as the API server serves it. */
export interface ApiResource {
  readonly apiVersion: string;
  readonly kind: string;
  /** As in the path: `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** One entry of the API server's discovery document (an APIResourceList). */
export interface DiscoveredResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly singularName?: string;
  readonly shortNames?: readonly string[];
}

const BUILT_IN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  v1: {
    ConfigMap: "configmaps",
    Endpoints: "endpoints",
    Event: "events",
    PersistentVolumeClaim: "persistentvolumeclaims",
    Pod: "pods",
    Secret: "secrets",
    Service: "services",
    ServiceAccount: "serviceaccounts",
  },
  "apps/v1": {
    ControllerRevision: "controllerrevisions",
    DaemonSet: "daemonsets",
    Deployment: "deployments",
    ReplicaSet: "replicasets",
    StatefulSet: "statefulsets",
  },
  "batch/v1": { CronJob: "cronjobs", Job: "jobs" },
  "coordination.k8s.io/v1": { Lease: "leases" },
  "discovery.k8s.io/v1": { EndpointSlice: "endpointslices" },
};

const CLUSTER_SCOPED: Readonly<Record<string, string>> = { Namespace: "namespaces", Node: "nodes" };

/** Kinds that every cluster serves alike, so that none need be asked for them. */
export function builtIn(apiVersion: string, kind: string): ApiResource | undefined {
  const namespaced = BUILT_IN[apiVersion]?.[kind];
  if (namespaced !== undefined) return { apiVersion, kind, plural: namespaced, namespaced: true };
  const global = apiVersion === "v1" ? CLUSTER_SCOPED[kind] : undefined;
  return global === undefined ? undefined : { apiVersion, kind, plural: global, namespaced: false };
}

/** The folder of an API version: `/api/v1`, `/apis/apps/v1`. */
export function apiRoot(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The API group of `group/version`; the core group is the empty text. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

/** The path of a collection, or of one object in it. */
export function pathOf(
  resource: ApiResource,
  namespace: string | undefined,
  name?: string,
  subresource?: string,
): string {
  const parts = [apiRoot(resource.apiVersion)];
  if (resource.namespaced && namespace !== undefined) {
    parts.push("namespaces", encodeURIComponent(namespace));
  }
  parts.push(resource.plural);
  if (name !== undefined) parts.push(encodeURIComponent(name));
  if (subresource !== undefined) parts.push(subresource);
  return parts.join("/");
}

/**
 * Finds a kind in a discovery document.
 *
 * @throws {NoSuchKind} naming the nearest kind when there is none.
 */
export function findKind(
  apiVersion: string,
  kind: string,
  discovered: readonly DiscoveredResource[],
): ApiResource {
  const resources = discovered.filter(({ name }) => !name.includes("/"));
  const found = resources.find((resource) => resource.kind === kind);
  if (found !== undefined) {
    return { apiVersion, kind, plural: found.name, namespaced: found.namespaced };
  }
  const near = nearestName(
    kind,
    resources.map((resource) => resource.kind),
  );
  throw new NoSuchKind({
    title: `The cluster has no kind ${kind}`,
    cause: `${apiVersion} holds no kind ${kind}${near === undefined ? "" : `; did you mean ${near}?`}`,
    remedy: "Check apiVersion and kind; a custom resource needs its definition installed first.",
  });
}

/** The server does not serve the kind: it is misspelt, or its definition is not installed yet. */
export class NoSuchKind extends UserError {
  override readonly name = "NoSuchKind";
}
