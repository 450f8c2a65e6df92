import { UserError } from "../failure/index.ts";

/** Microseconds from the Unix epoch to the one of PostgreSQL, 2000-01-01. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

/** The moment to recover to; undefined for the end of the WAL. */
export interface RecoveryTarget {
  /** Microseconds since 2000-01-01, as the WAL counts. */
  readonly time: number;
}

/**
 * Reads `latest`, or a moment with its offset from UTC.
 *
 * @throws {UserError} where it is neither.
 */
export function parseTarget(text: string | undefined): RecoveryTarget | undefined {
  const wanted = text?.trim() ?? "latest";
  if (wanted === "latest" || wanted === "") return undefined;
  const match =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6}))?\s*(Z|[+-]\d\d(?::?\d\d)?)$/i.exec(
      wanted,
    );
  const [, day = "", clock = "", fraction = "", zone = "Z"] = match ?? [];
  const offset = /^z$/i.test(zone)
    ? "Z"
    : zone.replace(/^(.\d\d):?(\d\d)?$/, (_, hours, minutes = "00") => `${hours}:${minutes}`);
  const time = Date.parse(`${day}T${clock.length === 5 ? `${clock}:00` : clock}${offset}`);
  if (match === null || Number.isNaN(time)) {
    throw new UserError({
      title: "The point in time is none",
      cause: `point-in-time is "${wanted}", and a moment has a day, a time and its offset from UTC.`,
      remedy: "Write it as 2026-11-22T03:00:00Z or 2026-11-22 04:00:00+01, or `latest`.",
    });
  }
  return { time: (time - EPOCH_MS) * 1_000 + Number(fraction.padEnd(6, "0")) };
}

/** In UTC, to the microsecond, as the server reads it. */
export function momentText(time: number): string {
  const whole = new Date(EPOCH_MS + Math.floor(time / 1_000)).toISOString();
  const micro = String(((time % 1_000_000) + 1_000_000) % 1_000_000).padStart(6, "0");
  return `${whole.slice(0, 10)} ${whole.slice(11, 19)}.${micro}+00`;
}

/** Milliseconds since the Unix epoch. */
export function millisecondsOf(time: number): number {
  return EPOCH_MS + time / 1_000;
}
