import type { StepCounts } from "../../shared/buildkit/index.ts";
import type { UserError } from "../../shared/failure/index.ts";
import type { ProvenImage } from "../../shared/registry/index.ts";

/** What became of one service. */
export interface ServiceResult {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly began: number;
  readonly ended: number;
  /** When the build was done and the registry's turn came; undefined when it was not. */
  readonly built: number | undefined;
  readonly steps: StepCounts | undefined;
  /** What the registry attests; undefined when nothing was pushed or it could not be proven. */
  readonly image: ProvenImage | undefined;
  /** The builder named no digest, so the registry's could not be held against one. */
  readonly uncompared: boolean;
  /** References (tag@digest) that the registry took, proven or not. */
  readonly pushed: readonly string[];
  readonly failure: UserError | undefined;
}
