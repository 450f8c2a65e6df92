/** A revision that is a repetition of an earlier one. */
export interface Repetition {
  readonly revision: number;
  /** The one that it repeats. */
  readonly to: number;
}

/**
 * Why nobody should go back to a revision by itself: somebody went back from it, past it, to an
 * earlier one. Undefined when nobody did.
 */
export function goneBackFrom(
  revision: number,
  rollbacks: readonly Repetition[],
): string | undefined {
  const past = rollbacks.find((one) => one.to < revision && revision < one.revision);
  return past === undefined
    ? undefined
    : `revision ${past.revision} went back past it to ${past.to}`;
}
