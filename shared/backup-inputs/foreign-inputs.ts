import { type Inputs, type OptionsOf, text } from "../action/index.ts";
import type { RecoveryTarget } from "../postgres-archive/index.ts";

/** The inputs that lead to backups of other tools, and to a moment within what they hold. */
export const foreignInputs = {
  pattern: text({ accepts: "a pattern of file names, such as papers-*.sql.gz" }),
  "point-in-time": text({ accepts: "a moment such as 2026-11-22T03:00:00Z, or latest" }),
  wal: text({ accepts: "a folder of the storage" }),
  timeline: text(
    { default: "latest", accepts: "latest, current or a number" },
    /^(latest|current|[1-9]\d{0,8})$/,
  ),
} satisfies Inputs;

export type ForeignOptions = OptionsOf<typeof foreignInputs>;

/** Where recovery goes to. */
export interface RecoveryPoint {
  /** Undefined for the end of the WAL. */
  readonly target: RecoveryTarget | undefined;
  readonly timeline: "latest" | "current" | number;
}

/**
 * Where recovery goes to, as the inputs have it.
 *
 * @throws {UserError} where the point in time is none.
 */
export async function recoveryPoint({
  pointInTime,
  timeline,
}: Pick<ForeignOptions, "pointInTime" | "timeline">): Promise<RecoveryPoint> {
  const { parseTarget } = await import("../postgres-archive/index.ts");
  return {
    target: parseTarget(pointInTime),
    timeline: timeline === "latest" || timeline === "current" ? timeline : Number(timeline),
  };
}
