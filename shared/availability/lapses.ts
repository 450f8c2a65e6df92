/** How many endpoints were ready from a moment on. Times in milliseconds since the Unix epoch. */
export interface Reading {
  readonly at: number;
  readonly ready: number;
}

/** A stretch of time in which fewer were ready than needed. */
export interface Lapse {
  readonly from: number;
  readonly to: number;
  /** The fewest that were ready in it. */
  readonly lowest: number;
}

/**
 * When there were fewer than needed. What was never there cannot be taken away: until `required`
 * are ready for the first time, as in a first install, the most that were ready so far is needed.
 *
 * @param readings in the order of their times; each holds until the next, the last until `end`.
 * @param alreadyHurt what is missing at the beginning counts too.
 */
export function lapses(
  readings: readonly Reading[],
  required: number,
  end: number,
  alreadyHurt = false,
): readonly Lapse[] {
  const found: Lapse[] = [];
  let most = alreadyHurt ? required : 0;
  let open: Lapse | undefined;
  for (const { at, ready } of readings) {
    most = Math.max(most, ready);
    if (ready < Math.min(required, most)) {
      open =
        open === undefined
          ? { from: at, to: at, lowest: ready }
          : { ...open, lowest: Math.min(open.lowest, ready) };
    } else if (open !== undefined) {
      found.push({ ...open, to: at });
      open = undefined;
    }
  }
  return open === undefined ? found : [...found, { ...open, to: end }];
}

/** Milliseconds that lie in at least one of the stretches. */
export function covered(
  stretches: readonly { readonly from: number; readonly to: number }[],
): number {
  let sum = 0;
  let until = -Infinity;
  for (const { from, to } of [...stretches].sort((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return sum;
}
