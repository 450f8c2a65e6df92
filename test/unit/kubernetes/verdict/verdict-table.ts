import { describe, expect, it } from "@jest/globals";
import type { KubernetesObject } from "../../../../shared/kubernetes/object.ts";
import {
  assess,
  type Surroundings,
  type Wish,
} from "../../../../shared/kubernetes/verdict/assess.ts";
import { judge, type Verdict } from "../../../../shared/kubernetes/verdict/verdict.ts";
import type {
  ClusterEvent,
  Condition,
  ControllerRevision,
  Pod,
  ReplicaSet,
} from "../../../../shared/kubernetes/workload.ts";
import { NOW, seeing } from "../objects.ts";

/** What is there beside the object that is judged. */
export interface Beside extends Wish {
  readonly pods?: readonly Pod[];
  readonly replicaSets?: readonly ReplicaSet[];
  readonly revisions?: readonly ControllerRevision[];
  readonly others?: Readonly<Record<string, readonly KubernetesObject[]>>;
  /** Kinds that may not be read. */
  readonly forbidden?: readonly string[];
  readonly events?: readonly ClusterEvent[];
}

/** [what, the object, the verdict at first sight, its reason or words, what is beside it] */
export type VerdictRow = readonly [
  what: string,
  object: KubernetesObject,
  state: Verdict["state"],
  words: string,
  beside?: Beside,
];

/** One test for each row: state, and the reason or words of the verdict. */
export function verdictTable(kind: string, rows: readonly VerdictRow[]): void {
  describe(kind, () => {
    it.each(rows)("%s", (_, object, state, words, beside = {}) => {
      const verdict = verdictOn(object, beside);
      expect([verdict.state, told(verdict)]).toEqual([state, expect.stringContaining(words)]);
    });
  });
}

/** The verdict on an object that is seen for the first time now. */
export function verdictOn(object: KubernetesObject, beside: Beside = {}): Verdict {
  const { pods = [], replicaSets = [], revisions = [], others = {}, forbidden = [] } = beside;
  const around: Surroundings = {
    pods,
    replicaSets,
    revisions,
    others: (kind) => (forbidden.includes(kind) ? undefined : (others[kind] ?? [])),
  };
  const assessment = assess(object, around, seeing(beside.events ?? []), beside);
  return judge(assessment, new Map(), NOW);
}

/** All words of a verdict: its reason and message, what is missing, notes. */
function told(verdict: Verdict): string {
  const cause = "cause" in verdict ? [verdict.cause.reason, verdict.cause.message] : [];
  const missing = "missing" in verdict ? verdict.missing : [];
  return [...cause, ...missing, ...verdict.notes].join("; ");
}

/** An object of generation 2, seen by its controller. */
export function object(apiVersion: string, kind: string, rest: object = {}): KubernetesObject {
  const metadata = { name: "web", namespace: "shop", uid: "u1", generation: 2 };
  return { apiVersion, kind, metadata, ...rest };
}

export function condition(
  type: string,
  status: Condition["status"],
  reason = "",
  message = "",
  observedGeneration?: number,
): Condition {
  return {
    type,
    status,
    reason,
    message,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
}
