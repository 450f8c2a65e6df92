import { covered, type Lapse, lapses, type Reading } from "./lapses.ts";

/** What was counted of one Service. */
export interface Watched {
  readonly service: string;
  readonly namespace: string;
  readonly required: number;
  readonly why: string;
  readonly readings: readonly Reading[];
  /** What is missing at the beginning counts too. */
  readonly alreadyHurt?: boolean | undefined;
}

/** A stretch in which nothing could be seen; undefined while it lasts. */
export interface BlindTime {
  readonly from: number;
  readonly to: number | undefined;
}

/** Whether users were hurt: plain data, fit for JSON. */
export interface AvailabilityReport {
  readonly hurt: "yes" | "no" | "unknown";
  /** Seconds in which at least one Service had fewer ready endpoints than needed. */
  readonly affectedSeconds: number;
  readonly services: readonly ServiceAvailability[];
  /** What could not be seen, and why. */
  readonly notes: readonly string[];
}

export interface ServiceAvailability {
  readonly service: string;
  readonly namespace: string;
  /** Ready endpoints: those needed, who says so, and how many there were. */
  readonly required: number;
  readonly why: string;
  readonly before: number;
  readonly lowest: number;
  readonly after: number;
  /** Whether there were fewer than needed at any time. */
  readonly hurt: boolean;
  readonly affectedSeconds: number;
}

/** Judges what was counted, until `end`. */
export function reportOf(
  watched: readonly Watched[],
  blind: readonly BlindTime[],
  notes: readonly string[],
  end: number,
): AvailabilityReport {
  const found = watched.map((one) => ({
    one,
    gaps: lapses(one.readings, one.required, end, one.alreadyHurt),
  }));
  const gaps = found.flatMap((each) => each.gaps);
  const unseen = covered(blind.map(({ from, to }) => ({ from, to: to ?? end })));
  const blindness = unseen > 0 ? [`for ${seconds(unseen)} s nothing could be seen`] : [];
  const nobody =
    watched.length === 0 && notes.length === 0
      ? ["no Service selects these pods, so there was nothing to count"]
      : [];
  const doubts = [...notes, ...blindness, ...nobody];
  return {
    hurt: gaps.length > 0 ? "yes" : doubts.length > 0 ? "unknown" : "no",
    affectedSeconds: seconds(covered(gaps)),
    services: found.map(({ one, gaps: own }) => serviceOf(one, own)),
    notes: doubts,
  };
}

function serviceOf(
  { readings, alreadyHurt: _, ...rest }: Watched,
  gaps: readonly Lapse[],
): ServiceAvailability {
  const counts = readings.map(({ ready }) => ready);
  return {
    ...rest,
    before: counts[0] ?? 0,
    lowest: counts.length === 0 ? 0 : Math.min(...counts),
    after: counts.at(-1) ?? 0,
    hurt: gaps.length > 0,
    affectedSeconds: seconds(covered(gaps)),
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 10) / 100;
}
