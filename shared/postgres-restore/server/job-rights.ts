import { UserError } from "../../failure/index.ts";
import type { Cluster, Deed } from "../../kubernetes/index.ts";

interface Rule {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verbs: readonly string[];
}

/** What a throw-away server in the cluster needs, in its namespace. */
const RULES: readonly Rule[] = [
  { group: "batch", resource: "jobs", verbs: ["create", "get", "list", "watch", "delete"] },
  { group: "", resource: "pods", verbs: ["get", "list", "watch"] },
  { group: "", resource: "pods", subresource: "exec", verbs: ["get", "create"] },
  { group: "networking.k8s.io", resource: "networkpolicies", verbs: ["create"] },
];

/**
 * Asks the API server whether a throw-away server may be made, before anything is.
 *
 * @throws {UserError} naming every right that is missing, with a Role that has them.
 */
export async function checkRights(cluster: Cluster, namespace: string): Promise<void> {
  const asked = await Promise.all(
    RULES.flatMap((rule) =>
      rule.verbs.map(async (verb) => {
        const { allowed } = await cluster.may(deedOf(rule, verb, namespace));
        return { words: `${verb} ${nameOf(rule)}`, allowed };
      }),
    ),
  );
  const missing = asked.filter(({ allowed }) => !allowed).map(({ words }) => words);
  if (missing.length > 0) throw missingRights(missing, namespace);
}

function deedOf({ group, resource, subresource }: Rule, verb: string, namespace: string): Deed {
  const apiVersion = group === "" ? "v1" : `${group}/v1`;
  return { verb, apiVersion, resource, namespace, ...(subresource && { subresource }) };
}

function nameOf({ group, resource, subresource }: Rule): string {
  const name = subresource === undefined ? resource : `${resource}/${subresource}`;
  return group === "" ? name : `${name}.${group}`;
}

function missingRights(missing: readonly string[], namespace: string): UserError {
  const rules = RULES.map(({ group, resource, subresource, verbs }) => {
    const name = subresource === undefined ? resource : `${resource}/${subresource}`;
    return `  - { apiGroups: ["${group}"], resources: ["${name}"], verbs: [${verbs.join(", ")}] }`;
  });
  return new UserError({
    title: missing.length === 1 ? "A right is missing" : `${missing.length} rights are missing`,
    cause: `The throw-away server is a Job, and in namespace ${namespace} these credentials may not ${missing.join(", ")}.`,
    remedy:
      "Give the account the Role below in that namespace, or use `server: local` or `server: docker`. Nothing was made.",
    evidence: [
      "apiVersion: rbac.authorization.k8s.io/v1",
      "kind: Role",
      `metadata: { name: throw-away-servers, namespace: ${namespace} }`,
      "rules:",
      ...rules,
    ].join("\n"),
  });
}
