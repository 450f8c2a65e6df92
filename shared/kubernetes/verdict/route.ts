import type { KubernetesObject } from "../object.ts";
import type { Condition } from "../workload.ts";
import { conditionProblem, conditionWords, isOutdated } from "./conditions.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, type Problem, READY, underway } from "./verdict.ts";

interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

interface Route extends KubernetesObject {
  readonly spec?: { readonly parentRefs?: readonly ParentRef[] };
  readonly status?: {
    readonly parents?: readonly {
      readonly parentRef: ParentRef;
      readonly controllerName?: string;
      readonly conditions?: readonly Condition[];
    }[];
  };
}

/**
 * The verdict on an HTTPRoute, or another route of the Gateway API: every parent that it names has
 * accepted it and resolved what it refers to, at its newest generation.
 *
 * Source: sigs.k8s.io/gateway-api, apis/v1/shared_types.go.
 */
export function assessRoute(object: KubernetesObject, sight: Sight): Assessment {
  const route: Route = object;
  const parents = route.spec?.parentRefs ?? [];
  if (parents.length === 0) return { ...READY, notes: ["it names no parent: nothing serves it"] };
  const all = parents.map((parent) => assessParent(route, parent, sight));
  const missing = all.flatMap((one) => one.missing);
  const problems = all.flatMap((one) => one.problems);
  return missing.length === 0 ? READY : underway(missing, { problems });
}

function assessParent(
  route: Route,
  parent: ParentRef,
  sight: Sight,
): Pick<Assessment, "missing" | "problems"> {
  const name = parentName(parent);
  const { generation, namespace, uid } = route.metadata;
  const spoken = (route.status?.parents ?? []).filter(({ parentRef }) =>
    isSame(parentRef, parent, namespace),
  );
  const conditions = spoken
    .flatMap((one) => one.conditions ?? [])
    .filter((condition) => !isOutdated(condition, generation));
  if (conditions.length === 0) {
    const words =
      spoken.length === 0
        ? `no controller has spoken for ${name}`
        : `the controller of ${name} has not seen the change yet`;
    return { missing: [words], problems: [] };
  }
  const missing: string[] = [];
  const problems: Problem[] = [];
  for (const type of ["Accepted", "ResolvedRefs"]) {
    const found = conditions.filter((condition) => condition.type === type);
    // Several controllers may speak for one parent: each must agree.
    const bad = found.filter(({ status }) => status !== "True");
    if (found.length === 0) missing.push(`${name} has not said whether it is ${type}`);
    missing.push(...bad.map((one) => `${name}: ${conditionWords(one)}`));
    problems.push(
      ...bad.filter(isRefusal).map((one) => refusal(`${uid}:${name}`, name, one, sight)),
    );
  }
  return { missing, problems };
}

function isRefusal({ status, reason }: Condition): boolean {
  return status === "False" && reason !== "Pending";
}

function refusal(key: string, parent: string, condition: Condition, sight: Sight): Problem {
  const backend = condition.type === "ResolvedRefs";
  return conditionProblem(condition, {
    key: `route:${key}`,
    reason: backend ? "RouteUnresolved" : "RouteRefused",
    about: backend
      ? `${parent} does not find what the route leads to`
      : `${parent} does not accept the route`,
    remedy: backend
      ? "Create the Service that a backendRef names, correct it, or allow it by a ReferenceGrant."
      : "Compare the route's parentRefs and hostnames with the Gateway's listeners and allowedRoutes.",
    grace: sight.graces.reference,
  });
}

/** A status repeats the reference with its defaults filled in, or as it was written. */
function isSame(one: ParentRef, other: ParentRef, namespace: string | undefined): boolean {
  const parts = (ref: ParentRef) => [
    ref.group ?? "gateway.networking.k8s.io",
    ref.kind ?? "Gateway",
    ref.namespace ?? namespace,
    ref.name,
    ref.sectionName,
    ref.port,
  ];
  const others = parts(other);
  return parts(one).every((part, index) => part === others[index]);
}

function parentName({ kind = "Gateway", name, sectionName }: ParentRef): string {
  return `${kind.toLowerCase()}/${name}${sectionName === undefined ? "" : ` (${sectionName})`}`;
}
