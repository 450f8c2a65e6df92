import type { Difference } from "../../shared/diff/index.ts";
import type { Journal } from "../../shared/journal/index.ts";
import type { KubernetesObject, RolloutReport } from "../../shared/kubernetes/index.ts";
import type { ImageProof } from "../../shared/workload/index.ts";
import type { World } from "../../shared/world/index.ts";

/**
 * How one kind of target goes back; everything of it is known before anything is touched. It holds
 * its target against other runs until it is disposed of.
 */
export interface Way extends AsyncDisposable {
  /** What goes back, as people call it: `release shop`, `deployment/web`. */
  readonly subject: string;
  /** Where it is, and where it goes: `revision 7`. */
  readonly from: string;
  readonly to: string;
  /** The objects as they are, and as they will be. */
  readonly before: readonly KubernetesObject[];
  readonly after: readonly KubernetesObject[];
  readonly difference: Difference;
  /** What the reader should know: who else owns it, what will not be rolled back. */
  readonly notes: readonly string[];
  /** Finds out whether the cluster would take it, without a change. */
  rehearse(): Promise<void>;
  /**
   * Goes back, waits until what was put back runs, and proves it.
   *
   * @throws {UserError} when the change itself fails; one that does not become ready is told in the
   * result.
   */
  carryOut(record: Record, world: World, journal: Journal): Promise<Carried>;
}

/** Who goes back, and why. */
export interface Record {
  readonly by: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
  /** Address of the run's page. */
  readonly run?: string | undefined;
}

export interface Carried {
  /** The number of the revision that runs now, where a new one was made and has one. */
  readonly running?: number | undefined;
  readonly rollout: RolloutReport;
  readonly images: readonly ImageProof[];
}
