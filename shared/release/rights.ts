import { dump } from "js-yaml";
import { UserError } from "../failure/index.ts";
import { type Cluster, inLanes } from "../kubernetes/index.ts";

/** A right that the work needs: a verb on a kind of resource, in a namespace or in the cluster. */
export interface Right {
  readonly verb: string;
  readonly apiVersion: string;
  /** Plural, with its subresource: `deployments`, `pods/log`. */
  readonly resource: string;
  /** Left out for what belongs to no namespace. */
  readonly namespace?: string | undefined;
  /** Without it the work can be done, but not put back. */
  readonly onlyToUndo?: boolean;
}

/** The rules of each namespace. */
export type Rules = ReadonlyMap<string, readonly Rule[]>;

interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** What these credentials may do in namespaces, as far as the API server lists it. */
export async function rulesOf(cluster: Cluster, namespaces: readonly string[]): Promise<Rules> {
  const read = namespaces.map(async (one) => [one, await rulesIn(cluster, one)] as const);
  return new Map(await Promise.all(read));
}

/**
 * Those of the rights that these credentials do not have. What the rules do not grant is asked for
 * one by one, for not every authorizer lists its rules.
 */
export async function missingRights(
  cluster: Cluster,
  rights: readonly Right[],
  rules: Rules,
): Promise<readonly Right[]> {
  // What is needed to go forward counts more than the same on the way back.
  const ordered = [...rights].sort((a, b) => Number(b.onlyToUndo ?? 0) - Number(a.onlyToUndo ?? 0));
  const unique = [...new Map(ordered.map((right) => [keyOf(right), right])).values()];
  const open = unique.filter(
    (right) =>
      right.namespace === undefined ||
      !(rules.get(right.namespace) ?? []).some((rule) => grants(rule, right)),
  );
  const answers = await inLanes(open, async (right) => ({
    right,
    granted: await isGranted(cluster, right),
  }));
  return answers.filter(({ granted }) => !granted).map(({ right }) => right);
}

async function isGranted(cluster: Cluster, right: Right): Promise<boolean> {
  const { verb, apiVersion, namespace } = right;
  const [resource = "", subresource] = right.resource.split("/");
  const deed = { verb, apiVersion, resource, namespace };
  const named = subresource === undefined ? deed : { ...deed, subresource };
  return (await cluster.may(named)).allowed;
}

async function rulesIn(cluster: Cluster, namespace: string): Promise<readonly Rule[]> {
  try {
    const review = await cluster.create({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectRulesReview",
      metadata: { name: "" },
      spec: { namespace },
    } as Parameters<Cluster["create"]>[0]);
    const { status } = review as { status?: { resourceRules?: readonly Rule[] } };
    return status?.resourceRules ?? [];
  } catch (error) {
    // Each right is asked for then.
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** Whether a rule of RBAC grants a right, for all names of the resource. */
export function grants(rule: Rule, { verb, apiVersion, resource }: Right): boolean {
  const { verbs, apiGroups = [], resources = [], resourceNames = [] } = rule;
  const subresource = resource.split("/")[1];
  const wildcards = ["*", resource, ...(subresource === undefined ? [] : [`*/${subresource}`])];
  return (
    resourceNames.length === 0 &&
    (verbs.includes(verb) || verbs.includes("*")) &&
    (apiGroups.includes(groupOf(apiVersion)) || apiGroups.includes("*")) &&
    resources.some((one) => wildcards.includes(one))
  );
}

/**
 * All that is missing at once, with the Role that grants it, ready to be applied.
 *
 * @param name of the Role: the release's.
 */
export function missingRightsError(missing: readonly Right[], name: string): UserError {
  const told = linesOf(missing);
  return new UserError({
    title: "Permissions are missing",
    cause: `These credentials may not ${told.join("; nor ")}.`,
    remedy: `Have an administrator apply the role below and bind it to them. Nothing was changed.`,
    evidence: roleText(missing, name),
  });
}

/** `create, patch deployments.apps in namespace shop` */
export function linesOf(rights: readonly Right[]): readonly string[] {
  const byResource = Map.groupBy(rights, ({ resource, apiVersion, namespace = "" }) =>
    [resource, groupOf(apiVersion), namespace].join(" "),
  );
  return [...byResource.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const verbs = [...new Set(group.map(({ verb }) => verb))].join(", ");
    const api = groupOf(first.apiVersion);
    const where = first.namespace === undefined ? "" : ` in namespace ${first.namespace}`;
    return [`${verbs} ${first.resource}${api === "" ? "" : `.${api}`}${where}`];
  });
}

/** Roles, one a namespace, and a ClusterRole for the rest, as YAML. */
export function roleText(rights: readonly Right[], name: string): string {
  const places = Map.groupBy(rights, ({ namespace = "" }) => namespace);
  const roles = [...places].map(([namespace, own]) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: namespace === "" ? "ClusterRole" : "Role",
    metadata: { name: `${name}-deployer`, ...(namespace === "" ? {} : { namespace }) },
    rules: rulesFor(own),
  }));
  return roles.map((role) => dump(role, { flowLevel: 3, lineWidth: -1 })).join("---\n");
}

function rulesFor(rights: readonly Right[]): readonly Rule[] {
  const resources = Map.groupBy(rights, ({ apiVersion, resource }) =>
    [groupOf(apiVersion), resource].join(" "),
  );
  const rules = [...resources.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const verbs = [...new Set(group.map(({ verb }) => verb))];
    return [{ group: groupOf(first.apiVersion), resource: first.resource, verbs }];
  });
  const alike = Map.groupBy(rules, ({ group, verbs }) => [group, ...verbs].join(" "));
  return [...alike.values()].map((same) => ({
    apiGroups: [same[0]?.group ?? ""],
    resources: same.map(({ resource }) => resource),
    verbs: same[0]?.verbs ?? [],
  }));
}

function keyOf({ verb, apiVersion, resource, namespace = "" }: Right): string {
  return [verb, groupOf(apiVersion), resource, namespace].join(" ");
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}
