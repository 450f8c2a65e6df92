/**
 * Whether a revision has been seen to work. Helm calls one deployed as soon as its objects are
 * applied, so that a broken one which was kept would count as the one to go back to.
 */
export type Proof =
  /** All of its workloads were ready. */
  | "proven"
  /** It was tried, and did not come to that. */
  | "unproven"
  /** Nobody noted anything: another tool made it. */
  | "unknown";

const LABELS = { proven: "seaworthy.dev/proven", unproven: "seaworthy.dev/unproven" } as const;

/**
 * Reads the mark of a revision among the labels of its record. The value is the revision's own
 * number, for Helm copies labels from one revision to the next: a copied mark says nothing.
 */
export function proofOf(
  labels: Readonly<Record<string, string>> | undefined,
  revision: number,
): Proof {
  const number = String(revision);
  if (labels?.[LABELS.proven] === number) return "proven";
  return labels?.[LABELS.unproven] === number ? "unproven" : "unknown";
}

/** The labels that say so, as a merge patch wants them. */
export function proofLabels(
  revision: number,
  proof: Exclude<Proof, "unknown">,
): Readonly<Record<string, string | null>> {
  const other = proof === "proven" ? "unproven" : "proven";
  return { [LABELS[proof]]: String(revision), [LABELS[other]]: null };
}
