import type { Graces, KubernetesObject } from "../../shared/kubernetes/index.ts";
import type { Sign } from "./signs.ts";

/** Where the objects of a case will live, and where its images come from. */
export interface Place {
  readonly namespace: string;
  /** Image with a shell and small programs. */
  readonly image: string;
  /** `127.0.0.1:5000`, the registry that is well. */
  readonly registry: string;
  /** The image with a shell, by way of a registry that misbehaves: see registry/server.ts. */
  readonly misbehaving: (conduct: string) => string;
}

export type Objects = (place: Place) => readonly KubernetesObject[];

/** What may be done to the cluster while the rollout is under way. */
export interface Meanwhile {
  readonly place: Place;
  /** Waits until the API shows the sign. */
  sees(sign: Sign): Promise<void>;
  pause(seconds: number): Promise<void>;
  /** Applies objects; those that have no namespace go with the case too. */
  apply(objects: readonly KubernetesObject[]): Promise<void>;
  /** A merge patch. */
  patch(resource: string, change: object): Promise<void>;
  delete(resource: string): Promise<void>;
  /** A merge patch of every pod of the case. */
  patchPods(change: object): Promise<void>;
  /** Deletes one pod of the case. */
  deletePod(): Promise<void>;
  /** Gives every node a label, until the case is over. */
  labelNodes(label: string): Promise<void>;
}

export interface RolloutCase {
  /** What is special about it, in a few words joined by hyphens. */
  readonly name: string;
  /** What there is in the namespace before anything is rolled out. */
  readonly before?: Objects;
  /** What must be seen of that first. */
  readonly beforeShows?: Sign;
  /** What the API server must refuse before anything is rolled out: policies take a while to rule. */
  readonly refusedFirst?: (place: Place) => KubernetesObject;
  /** A revision that runs well already when the one in question comes. */
  readonly from?: Objects;
  /** The revision in question. */
  readonly to: Objects;
  /** What is waited for: `deployment/web`. */
  readonly awaits: readonly string[];
  readonly meanwhile?: (meanwhile: Meanwhile) => Promise<void>;
}

/** A rollout that can never succeed. */
export interface BrokenCase extends RolloutCase {
  /** By what the cause is first visible in the API. */
  readonly sign: Sign;
  /** The grace window of this cause, or none. */
  readonly grace: Exclude<keyof Graces, "crashes" | "unprobed" | "restarted"> | "none";
  /** The stable word of the cause. */
  readonly reason: string;
  /** The world's own words which a message must have that names this cause. */
  readonly words: readonly string[];
}

/** A rollout that only looks bad on the way. */
export type HealthyCase = RolloutCase;
