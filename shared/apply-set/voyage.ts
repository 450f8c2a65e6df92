import type { AvailabilityWatch } from "../availability/index.ts";
import type { Journal } from "../journal/index.ts";
import type { Cluster, KubernetesObject } from "../kubernetes/index.ts";
import type { Taken } from "../lease/index.ts";
import type { WorkloadChange, WorkloadPlan } from "../workload-images/index.ts";
import type { World } from "../world/index.ts";
import type { Touched } from "./apply.ts";
import type { Past } from "./content.ts";
import type { DesiredObject } from "./desired.ts";
import type { DeployFacts } from "./facts.ts";
import type { Standing } from "./history.ts";
import type { AppliedImage } from "./record.ts";
import type { ApplySetRef } from "./set.ts";
import type { DeploySettings } from "./settings.ts";

/** What is to be deployed, worked out once nobody else works on the set. */
export interface Wanted {
  readonly objects: readonly DesiredObject[];
  /** Changes of live workloads, where there are any. */
  readonly workloads?: WorkloadPlan | undefined;
  readonly images: readonly AppliedImage[];
}

/** A set, what it is to become, and how. */
export interface DeployOrder {
  readonly set: ApplySetRef;
  readonly settings: DeploySettings;
  /** The set brings its own namespace: it is made early, for lease and record go there. */
  readonly bringsNamespace?: boolean;
  readonly wanted: (cluster: Cluster) => Promise<Wanted>;
}

/** A deploy on its way: what it found at the beginning, and what it has done so far. */
export interface Voyage {
  readonly cluster: Cluster;
  /** For writes: those on their way are let come home when the job is cancelled. */
  readonly writer: Cluster;
  readonly order: DeployOrder;
  readonly world: World;
  readonly journal: Journal;
  readonly facts: DeployFacts;
  readonly taken: Taken | undefined;
  readonly standing: Standing;
  readonly past: Past;
  readonly touched: Touched;
  /** Changes of live workloads that were begun. */
  readonly changed: WorkloadChange[];
  /** Objects as they were, of those that no good revision knows. */
  before: readonly KubernetesObject[];
  /** The number under which this run is recorded, once it is. */
  revision?: number;
  /** The new revision runs and is recorded as good: nothing is taken back any more. */
  settled: boolean;
  watch?: AvailabilityWatch;
}
