import type { ApiResource } from "./resource.ts";

/** A kind as the server's discovery tells of it. */
export interface ServedResource extends ApiResource {
  /** API group; the core group is the empty text. */
  readonly group: string;
  readonly version: string;
  /** `deployment` */
  readonly singular: string;
  /** `deploy` */
  readonly shortNames: readonly string[];
  /** `get`, `list`, `watch`, `create` ... */
  readonly verbs: readonly string[];
  /** `all`, `api-extensions` ... */
  readonly categories: readonly string[];
  /** `status`, `scale` ... */
  readonly subresources: readonly string[];
  /** Whether this is the version of its group that the server prefers for this kind. */
  readonly preferred: boolean;
}

/** All kinds that a server serves. */
export interface ServedResources {
  /** Preferred versions of a group first, in the server's own order. */
  readonly resources: readonly ServedResource[];
  /** API versions of which nothing is known, for the server that extends the API does not answer. */
  readonly unavailable: readonly string[];
}

/** The media type of aggregated discovery, and what servers before 1.30 and 1.26 know of it. */
export const AGGREGATED = ["v2", "v2beta1"]
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat("application/json")
  .join(",");

/** The answer of /api and /apis when it is aggregated. Source: k8s.io/api/apidiscovery/v2. */
export interface GroupDiscoveryList {
  readonly kind: "APIGroupDiscoveryList";
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly freshness?: string;
      readonly resources?: readonly DiscoveredKind[];
    }[];
  }[];
}

interface DiscoveredKind {
  readonly resource: string;
  readonly responseKind?: { readonly kind?: string };
  readonly scope?: string;
  readonly singularResource?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs?: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

/** Whether a server answered in the aggregated form. */
export function isAggregated(answer: { readonly kind?: string }): answer is GroupDiscoveryList {
  return answer.kind === "APIGroupDiscoveryList";
}

/** What the aggregated form says. */
export function servedOf(lists: readonly GroupDiscoveryList[]): ServedResources {
  const resources: ServedResource[] = [];
  const unavailable: string[] = [];
  for (const { metadata, versions = [] } of lists.flatMap(({ items }) => items)) {
    const group = metadata?.name ?? "";
    for (const { version, freshness, resources: kinds = [] } of versions) {
      // Of an extension that does not answer, the server passes on what it last knew, if anything.
      if (freshness === "Stale" && kinds.length === 0) unavailable.push(versionOf(group, version));
      resources.push(...kinds.flatMap((kind) => served(group, version, kind)));
    }
  }
  return { resources: preferredMarked(resources), unavailable };
}

function served(group: string, version: string, kind: DiscoveredKind): ServedResource[] {
  const name = kind.responseKind?.kind;
  if (name === undefined || name === "") return [];
  return [
    {
      apiVersion: versionOf(group, version),
      kind: name,
      plural: kind.resource,
      namespaced: kind.scope === "Namespaced",
      group,
      version,
      singular: kind.singularResource || name.toLowerCase(),
      shortNames: kind.shortNames ?? [],
      verbs: kind.verbs ?? [],
      categories: kind.categories ?? [],
      subresources: (kind.subresources ?? []).map(({ subresource }) => subresource),
      preferred: false,
    },
  ];
}

/** One entry of the older form, an APIResourceList for each API version. */
export interface ListedResource {
  /** `deployments`, or `deployments/status` for a subresource */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly singularName?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs?: readonly string[];
}

/** What the older form says; undefined for a version whose server does not answer. */
export function servedOfLists(
  lists: ReadonlyMap<string, readonly ListedResource[] | undefined>,
): ServedResources {
  const resources: ServedResource[] = [];
  const unavailable: string[] = [];
  for (const [apiVersion, listed] of lists) {
    if (listed === undefined) unavailable.push(apiVersion);
    else resources.push(...ofOneVersion(apiVersion, listed));
  }
  return { resources: preferredMarked(resources), unavailable };
}

function ofOneVersion(apiVersion: string, listed: readonly ListedResource[]): ServedResource[] {
  const slash = apiVersion.indexOf("/");
  return listed
    .filter(({ name }) => !name.includes("/"))
    .map((one) => ({
      apiVersion,
      kind: one.kind,
      plural: one.name,
      namespaced: one.namespaced,
      group: slash < 0 ? "" : apiVersion.slice(0, slash),
      version: apiVersion.slice(slash + 1),
      singular: one.singularName || one.kind.toLowerCase(),
      shortNames: one.shortNames ?? [],
      verbs: one.verbs ?? [],
      categories: one.categories ?? [],
      subresources: listed.flatMap(({ name }) =>
        name.startsWith(`${one.name}/`) ? [name.slice(one.name.length + 1)] : [],
      ),
      preferred: false,
    }));
}

/** Servers name a group's versions in the order of their preference. */
function preferredMarked(resources: readonly ServedResource[]): ServedResource[] {
  const seen = new Set<string>();
  return resources.map((resource) => {
    const key = `${resource.group} ${resource.plural}`;
    const preferred = !seen.has(key);
    seen.add(key);
    return { ...resource, preferred };
  });
}

function versionOf(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}
