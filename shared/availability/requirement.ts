import type { KubernetesObject } from "../kubernetes/index.ts";
import { countOf, type Minimum } from "./minimum.ts";

export type Labels = Readonly<Record<string, string>>;

/** A PodDisruptionBudget of policy/v1, as far as it is read here. */
export interface DisruptionBudget extends KubernetesObject {
  readonly spec?: {
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
    readonly selector?: LabelSelector;
  };
  readonly status?: { readonly desiredHealthy?: number };
}

interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** How many endpoints must stay ready, and who says so. */
export interface Requirement {
  readonly required: number;
  readonly why: string;
}

/**
 * What is needed: the minimum that was given; else what the strictest PodDisruptionBudget of these
 * pods wants, as its controller has worked it out; else that one endpoint answers.
 *
 * @param before how many endpoints were ready at the beginning.
 */
export function requirementOf(
  minimum: Minimum | undefined,
  budgets: readonly DisruptionBudget[],
  before: number,
): Requirement {
  if (minimum !== undefined) {
    return { required: countOf(minimum, before), why: "the given minimum" };
  }
  const [strictest] = budgets
    .map((budget) => ({ budget, wanted: budget.status?.desiredHealthy ?? 0 }))
    .sort((a, b) => b.wanted - a.wanted);
  if (strictest === undefined || strictest.wanted < 1) {
    return { required: 1, why: "somebody must answer" };
  }
  const { budget, wanted } = strictest;
  return { required: wanted, why: `PodDisruptionBudget ${budget.metadata.name}` };
}

/** Whether a budget counts pods with these labels. An empty selector counts all of a namespace. */
export function budgets(budget: DisruptionBudget, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = budget.spec?.selector ?? {};
  return (
    budget.spec?.selector !== undefined &&
    selects(matchLabels, labels) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      if (operator === "In") return value !== undefined && values.includes(value);
      return value === undefined || !values.includes(value);
    })
  );
}

/** Whether labels hold all that a selector names. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
