import type { Condition } from "../workload.ts";
import type { Problem } from "./verdict.ts";

/** `Accepted is False (NoMatchingParent: no listener has this name)` */
export function conditionWords({ type, status, reason, message }: Condition): string {
  const rest = [reason, message?.trim()].filter(Boolean).join(": ");
  return `${type} is ${status}${rest === "" ? "" : ` (${rest})`}`;
}

/** Whether a condition speaks of an older specification than the object has now. */
export function isOutdated(
  condition: Pick<Condition, "observedGeneration">,
  generation: number | undefined,
): boolean {
  return (condition.observedGeneration ?? generation ?? 0) < (generation ?? 0);
}

/** The problem that a condition tells of. */
export function conditionProblem(
  condition: Condition,
  problem: Pick<Problem, "key" | "reason" | "remedy" | "grace"> & { readonly about?: string },
): Problem {
  const { about, ...rest } = problem;
  const words = conditionWords(condition);
  return {
    ...rest,
    key: `${rest.key}:${condition.type}:${condition.reason ?? ""}`,
    message: about === undefined ? words : `${about}: ${words}`,
  };
}
