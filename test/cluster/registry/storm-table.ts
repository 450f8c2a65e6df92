import type { Storm } from "./storm.ts";

/** What came of a fault run. */
export interface FaultRun {
  readonly seed: number;
  readonly seconds: number;
  readonly pushes: number;
  readonly succeeded: number;
  /** Of the succeeded: found whole at the registry itself. */
  readonly verified: number;
  readonly failed: ReadonlyMap<string, number>;
  /** Tags that lead to an image that did not pass its gate. */
  readonly ungated: number;
}

/** The table that a fault run prints. */
export function tableOf(storm: Storm, run: FaultRun): string {
  const faults = [...storm.sent].sort(([, one], [, other]) => other - one);
  const sum = faults.reduce((total, [, count]) => total + count, 0);
  const failures = [...run.failed].sort(([, one], [, other]) => other - one);
  const rows: readonly (readonly [string, number | string])[] = [
    [`fault run, seed ${run.seed}, in s`, run.seconds.toFixed(1)],
    ["requests", storm.requests],
    ["faults sent", sum],
    ...faults.map(([kind, count]) => [`  ${kind}`, count] as const),
    ["pushes", run.pushes],
    ["succeeded", run.succeeded],
    ["  of them verified at the registry", run.verified],
    ["failed", run.pushes - run.succeeded],
    ...failures.map(([cause, count]) => [`  ${cause}`, count] as const),
    ["tags that lead to an image that did not pass its gate", run.ungated],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${`${value}`.padStart(7)}`).join("\n");
}
