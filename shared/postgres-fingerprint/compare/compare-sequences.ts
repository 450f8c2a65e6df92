import type { Finding } from "../../proof/index.ts";
import type { PostgresFingerprint, SequenceState } from "../fingerprint.ts";

/**
 * Compares where sequences are. One that is behind gives numbers again that were given already; one
 * that is ahead only leaves a gap, as any rolled back transaction does.
 */
export function compareSequences(
  expected: PostgresFingerprint,
  found: PostgresFingerprint,
): readonly Finding[] {
  return Object.entries(expected.sequences).flatMap(([name, was]) => {
    const is = Object.hasOwn(found.sequences, name) ? found.sequences[name] : undefined;
    if (is === undefined) return [];
    const definition = expected.catalog.sequence?.[name] ?? "";
    const step = BigInt(/ increment (-?\d+)/.exec(definition)?.[1] ?? "1");
    const behind = (next(was, step) - next(is, step)) * (step < 0n ? -1n : 1n);
    if (behind <= 0n) return [];
    const cycles = / cycle\b/.test(definition);
    return [
      {
        detector: "sequence",
        tier: "data" as const,
        weight: cycles ? ("doubt" as const) : ("damage" as const),
        subject: `sequence ${name}`,
        what: cycles
          ? "It is behind where it was; it begins anew when it is used up, so it may have gone round."
          : "It is behind where it was: it will give numbers that were given already.",
        expected: shown(was),
        found: shown(is),
      },
    ];
  });
}

/** The number that it gives next. */
function next({ last, called }: SequenceState, step: bigint): bigint {
  return BigInt(last) + (called ? step : 0n);
}

function shown({ last, called }: SequenceState): string {
  return called ? last : `${last}, not given yet`;
}
