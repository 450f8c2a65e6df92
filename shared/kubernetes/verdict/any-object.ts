import type { KubernetesObject } from "../object.ts";
import { type AnyObject, type Condition, conditionOf } from "../workload.ts";
import { conditionWords, isOutdated } from "./conditions.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, type Problem, READY, underway } from "./verdict.ts";

/** Conditions that mean `ready` when True, in the order in which they are asked. */
const POSITIVE = [
  "Ready",
  "Available",
  "Succeeded",
  "Established",
  "Programmed",
  "Accepted",
  "Healthy",
];

/**
 * The verdict on an object of a kind that is not known here, from the conditions that kinds share.
 * Source: kstatus, sigs.k8s.io/cli-utils/pkg/kstatus.
 */
export function assessAnyObject(object: KubernetesObject, sight: Sight): Assessment {
  const any: AnyObject = object;
  const { generation } = any.metadata;
  if (isOutdated(any.status ?? {}, generation)) {
    return underway(["its controller has not seen the change yet"]);
  }
  const stalled = stall(any);
  if (stalled !== undefined) return underway(["it is stalled"], { problems: [stalled] });
  const reconciling = conditionOf(any, "Reconciling");
  if (reconciling?.status === "True") return underway([conditionWords(reconciling)]);
  const telling = POSITIVE.map((type) => conditionOf(any, type)).find((one) => one !== undefined);
  if (telling === undefined) return unspoken(any, sight);
  if (isOutdated(telling, generation)) {
    return underway([`${telling.type} speaks of an older generation`]);
  }
  return telling.status === "True" ? READY : underway([conditionWords(telling)]);
}

/** Nothing known is said: a controller gets a moment to say its first word of a new object. */
function unspoken({ metadata, status }: AnyObject, { now, graces }: Sight): Assessment {
  const until = Date.parse(metadata.creationTimestamp ?? "") + graces.silence;
  const silent = status === undefined || Object.keys(status).length === 0;
  if (silent && now < until) {
    return underway(["it reports nothing yet"], { lookAgainAt: until });
  }
  const conditions = status?.conditions ?? [];
  const note =
    conditions.length === 0
      ? "it exists and reports no readiness"
      : `it exists and reports no readiness that is known here (${conditions.map(({ type }) => type).join(", ")})`;
  return { ...READY, notes: [note] };
}

/** That its controller has given up: it says so, or the only try there is has failed. */
function stall(object: AnyObject): Problem | undefined {
  const stalled = conditionOf(object, "Stalled");
  const ended = conditionOf(object, "Succeeded");
  const found =
    stalled?.status === "True" ? stalled : ended?.status === "False" ? ended : undefined;
  if (found === undefined || isOutdated(found, object.metadata.generation)) return undefined;
  return {
    key: `stalled:${object.metadata.uid}:${found.reason}`,
    reason: "Stalled",
    message: `it goes no further: ${wordsOf(found)}`,
    remedy: "Its controller has given up: mend what it names.",
    grace: 0,
  };
}

function wordsOf({ reason, message, type }: Condition): string {
  return [reason, message].filter(Boolean).join(": ") || `its controller says ${type}`;
}
