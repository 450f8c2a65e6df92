/** What an earlier verification measured. */
export interface Measured {
  /** Milliseconds since the Unix epoch. */
  readonly taken: number;
  readonly bytes: number;
  readonly restoreSeconds: number;
}

export interface Outlook {
  /** Seconds that a restore takes for a further byte. */
  readonly secondsPerByte: number;
  /** Bytes that the data grows by in a day. */
  readonly bytesPerDay: number;
  /** What a restore will take when the data is twice as large as now, in seconds. */
  readonly atTwiceTheSize: number;
  /** Days until a restore takes longer than allowed; undefined where that does not come. */
  readonly daysUntilRto: number | undefined;
}

const DAY = 86_400_000;

/**
 * Where the time to restore is going: straight lines through the measurements by least squares,
 * seconds over bytes and bytes over days. With one size only, the time is taken to be in proportion
 * to it, which errs on the side of caution.
 *
 * @param rtoSeconds what is allowed.
 * @returns undefined where nothing was measured.
 */
export function outlook(
  measured: readonly Measured[],
  rtoSeconds: number | undefined,
): Outlook | undefined {
  const newest = measured.reduce<Measured | undefined>(
    (last, each) => (last === undefined || each.taken >= last.taken ? each : last),
    undefined,
  );
  if (newest === undefined || newest.bytes <= 0) return undefined;
  const speed = slope(measured.map(({ bytes, restoreSeconds }) => [bytes, restoreSeconds]));
  // A line that falls is noise: more data is not restored in less time.
  const secondsPerByte =
    speed === undefined || speed <= 0 ? newest.restoreSeconds / newest.bytes : speed;
  const bytesPerDay = slope(measured.map(({ taken, bytes }) => [taken / DAY, bytes])) ?? 0;
  const atTwiceTheSize = newest.restoreSeconds + secondsPerByte * newest.bytes;
  const perDay = secondsPerByte * bytesPerDay;
  const left = rtoSeconds === undefined ? undefined : rtoSeconds - newest.restoreSeconds;
  const daysUntilRto =
    left === undefined || perDay <= 0 ? undefined : Math.max(0, Math.floor(left / perDay));
  return { secondsPerByte, bytesPerDay, atTwiceTheSize, daysUntilRto };
}

/** The slope of the line through the points by least squares; undefined where x does not vary. */
function slope(points: readonly (readonly [number, number])[]): number | undefined {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  // Differences in the last digits of large numbers are none.
  if (count < 2 || variance <= (Math.abs(meanX) * 1e-9) ** 2) return undefined;
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / variance;
}
