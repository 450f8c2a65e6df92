import type { KubernetesObject } from "../object.ts";
import { type AnyObject, type Condition, conditionOf } from "../workload.ts";
import { type Assessment, READY, underway } from "./verdict.ts";

/** Conditions that mean `ready` when True, in the order in which they are asked. */
const POSITIVE = ["Ready", "Available", "Established", "Programmed", "Accepted", "Healthy"];

/**
 * The verdict on an object of a kind that is not known here, from the conditions that kinds share.
 * Source: kstatus, sigs.k8s.io/cli-utils/pkg/kstatus.
 */
export function assessAnyObject(object: KubernetesObject): Assessment {
  const any: AnyObject = object;
  const { generation } = any.metadata;
  const { observedGeneration, conditions = [] } = any.status ?? {};
  if (observedGeneration !== undefined && observedGeneration < (generation ?? 0)) {
    return underway(["its controller has not seen the change yet"]);
  }
  const stalled = trueOf(conditionOf(any, "Stalled")) ?? refusedNames(any);
  if (stalled !== undefined)
    return underway(["it is stalled"], { problems: [stall(any, stalled)] });
  const reconciling = conditionOf(any, "Reconciling");
  if (reconciling?.status === "True") return underway([words("reconciling", reconciling)]);
  const telling = POSITIVE.map((type) => conditionOf(any, type)).find((one) => one !== undefined);
  if (telling === undefined) {
    const note =
      conditions.length === 0
        ? "it exists and reports no readiness"
        : "it reports no condition that is known here";
    return { ...READY, notes: [note] };
  }
  if ((telling.observedGeneration ?? generation ?? 0) < (generation ?? 0)) {
    return underway([`${telling.type} speaks of an older generation`]);
  }
  return telling.status === "True"
    ? READY
    : underway([words(`${telling.type} is ${telling.status}`, telling)]);
}

function refusedNames(object: AnyObject): Condition | undefined {
  const accepted = conditionOf(object, "NamesAccepted");
  return accepted?.status === "False" ? accepted : undefined;
}

function stall({ metadata, kind }: AnyObject, condition: Condition) {
  return {
    key: `stalled:${metadata.uid}:${condition.reason}`,
    reason: "Stalled",
    message: words(`${kind} ${metadata.name} goes no further`, condition),
    remedy: "Its controller has given up: mend what it names.",
    grace: 0,
  };
}

function words(start: string, { reason, message }: Condition): string {
  const rest = [reason, message].filter(Boolean).join(": ");
  return rest === "" ? start : `${start}: ${rest}`;
}

function trueOf(condition: Condition | undefined): Condition | undefined {
  return condition?.status === "True" ? condition : undefined;
}
