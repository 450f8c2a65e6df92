import { nearestName, UserError } from "../../shared/failure/index.ts";

export const WORKLOAD_KINDS = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/** What is to be rolled back. */
export type Target =
  | { readonly kind: "release"; readonly name: string }
  | { readonly kind: "set"; readonly name: string }
  | { readonly kind: "workloads"; readonly workloads: readonly WorkloadName[] };

export interface WorkloadName {
  readonly kind: (typeof WORKLOAD_KINDS)[number];
  readonly name: string;
}

const WORDS: Readonly<Record<string, (typeof WORKLOAD_KINDS)[number] | "release" | "set">> = {
  release: "release",
  helm: "release",
  set: "set",
  applyset: "set",
  deployment: "Deployment",
  deployments: "Deployment",
  deploy: "Deployment",
  statefulset: "StatefulSet",
  statefulsets: "StatefulSet",
  sts: "StatefulSet",
  daemonset: "DaemonSet",
  daemonsets: "DaemonSet",
  ds: "DaemonSet",
};

/**
 * Reads the input `target`: one Helm release, one set applied by apply-manifests, or workloads
 * that go back together.
 *
 * @throws {UserError} for another kind, and for a mixture.
 */
export function targetOf(texts: readonly string[]): Target {
  const named = texts.map((text) => {
    const [word = "", name = ""] = text.split("/");
    const kind = WORDS[word.toLowerCase()];
    if (kind === undefined) throw unknownKind(text, word);
    return { kind, name };
  });
  const workloads = named.filter((one): one is WorkloadName => isWorkload(one.kind));
  const [other] = named.filter(({ kind }) => !isWorkload(kind));
  if (other === undefined) return { kind: "workloads", workloads: different(workloads) };
  if (named.length > 1) {
    throw new UserError({
      title: "Too many targets",
      cause: `A rollback takes one release, one set, or workloads; \`target\` names ${texts.join(", ")}.`,
      remedy: "Use a step for each release or set. Nothing was changed.",
    });
  }
  return { kind: other.kind === "set" ? "set" : "release", name: other.name };
}

function isWorkload(kind: string): kind is WorkloadName["kind"] {
  return WORKLOAD_KINDS.some((one) => one === kind);
}

function different(workloads: readonly WorkloadName[]): readonly WorkloadName[] {
  return [...new Map(workloads.map((one) => [`${one.kind}/${one.name}`, one])).values()];
}

function unknownKind(text: string, word: string): UserError {
  const near = nearestName(word.toLowerCase(), Object.keys(WORDS));
  const hint = near === undefined ? "" : ` Did you mean ${near}/${text.split("/")[1]}?`;
  return new UserError({
    title: "No such kind of target",
    cause: `${text} is nothing that can be rolled back.${hint}`,
    remedy:
      "Write release/shop for a Helm release, set/shop for what apply-manifests applied, or deployment/web, statefulset/db, daemonset/agent. Nothing was changed.",
  });
}
