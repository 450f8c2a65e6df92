import type { Finding, Tier } from "./finding.ts";

const DEPTH: Readonly<Record<Tier, number>> = { integrity: 0, data: 1, full: 2 };

/** Whether a tier holds another. */
export function holds(tier: Tier, other: Tier): boolean {
  return DEPTH[tier] >= DEPTH[other];
}

/**
 * A backup passes when nothing speaks against it and the tier asked for was reached. What was not
 * looked at is never taken for good.
 */
export function verdictOf(
  findings: readonly Finding[],
  asked: Tier,
  reached: Tier,
): "passed" | "failed" {
  const against = findings.some(({ weight }) => weight !== "note");
  return !against && holds(reached, asked) ? "passed" : "failed";
}

/** The findings, those that matter most first; otherwise in their own order. */
export function byWeight(findings: readonly Finding[]): readonly Finding[] {
  const order = ["damage", "doubt", "note"];
  return findings.toSorted((a, b) => order.indexOf(a.weight) - order.indexOf(b.weight));
}
