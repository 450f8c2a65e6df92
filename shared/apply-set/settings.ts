import type { Minimum } from "../availability/index.ts";

/** What is deleted that is in the set no more. */
export interface PruneSettings {
  /** `set`: members of the set. `selector`: whatever matches it. */
  readonly by: "set" | "selector" | "nothing";
  /** `app=shop` */
  readonly selector?: string | undefined;
  /** The most that may be deleted in one run; where both are given, the smaller one holds. */
  readonly most: { readonly count?: number | undefined; readonly percent?: number | undefined };
  /** Kinds that are deleted although losing them may lose data: Namespace, ... */
  readonly alsoKinds: readonly string[];
}

/** How a set is deployed. */
export interface DeploySettings {
  readonly fieldManager: string;
  readonly forceConflicts: boolean;
  /** Kinds (`Job`) or objects (`StatefulSet/db`) that may be deleted and made anew. */
  readonly recreate: readonly string[];
  /** Refuse fields that a kind does not have, or leave them out and say so. */
  readonly unknownFields: "refuse" | "leave-out";
  readonly createNamespace: boolean;
  readonly otherNamespaces: readonly string[];
  readonly prune: PruneSettings;
  /** In milliseconds: for the rollout, and again for going back, and for waiting for another run. */
  readonly timeout: number;
  readonly restartsAllowed: number;
  readonly onFailure: "rollback" | "keep";
  readonly minimum?: Minimum | undefined;
  /** How many good revisions are kept. */
  readonly keepRevisions: number;
  /** What the user calls this version. */
  readonly version?: string | undefined;
  /** Set when an earlier revision is deployed again. */
  readonly rollbackTo?: number | undefined;
  /** Who does it, in place of what the run's environment says. */
  readonly by?: string | undefined;
  /** Why, in the user's words. */
  readonly reason?: string | undefined;
}
