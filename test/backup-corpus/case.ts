import type { Tier } from "../../shared/proof/index.ts";
import type { Scene } from "./scene.ts";

/** What kind of backup is damaged. */
export type Format =
  | "plain"
  | "custom"
  | "directory"
  | "tar"
  | "rdb"
  | "files"
  | "bucket"
  | "foreign";

/** Where the fault came in: in stored bytes, in how the dump was made, at the source. */
export type Level = "file" | "dump" | "source";

/** One backup that is not what it should be, or only looks as if. */
export interface Case {
  readonly name: string;
  readonly format: Format;
  readonly level: Level;
  /** Whether something is lost or changed; the others must not alarm. */
  readonly harms: boolean;
  /** The tier that claims to catch it; the last for what harms nothing. */
  readonly tier: Tier;
  /** Makes the backup and gives the inputs of verify-backup that lead to it. */
  readonly arrange: (scene: Scene, folder: string) => Promise<Readonly<Record<string, string>>>;
}

/** What came of one case. */
export interface Result {
  readonly case: Case;
  readonly verdict: "passed" | "failed" | "broken";
  /** What noticed, without mere notes. */
  readonly detectors: readonly string[];
  /** What was found, a line each. */
  readonly words: readonly string[];
  readonly seconds: number;
}

/** Whether the verdict is the right one, for the right reason. */
export function isRight({ case: { harms }, verdict, detectors }: Result): boolean {
  return harms ? verdict === "failed" && detectors.length > 0 : verdict === "passed";
}
