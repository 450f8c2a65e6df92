import type { KubernetesObject } from "../object.ts";
import type { PersistentVolumeClaim } from "../workload.ts";
import { latestEvent, type Sight } from "./sight.ts";
import { type Assessment, type Problem, READY, underway } from "./verdict.ts";

interface StorageClass extends KubernetesObject {
  readonly volumeBindingMode?: string;
}

/** A claim that has one is used by a pod already, and must be bound for it. */
const CHOSEN_NODE = "volume.kubernetes.io/selected-node";
const TROUBLE = ["ProvisioningFailed", "FailedBinding"];

/**
 * The verdict on a PersistentVolumeClaim. One that is bound for the first pod that uses it has
 * nothing to wait for before: its class says so, or an event where classes may not be read.
 */
export function assessClaim(
  claim: PersistentVolumeClaim,
  classes: readonly KubernetesObject[] | undefined,
  sight: Sight,
): Assessment {
  const { uid, name } = claim.metadata;
  const phase = claim.status?.phase;
  if (phase === "Bound") return READY;
  if (phase === "Lost") {
    const lost: Problem = {
      key: `claim:${uid}`,
      reason: "VolumeLost",
      message: `the volume of claim ${name} is lost`,
      remedy: "Restore the volume, or make the claim anew and restore its data from a backup.",
      grace: 0,
    };
    return underway(["its volume is lost"], { problems: [lost] });
  }
  const latest = latestEvent(sight, uid, ["WaitForFirstConsumer", ...TROUBLE]);
  const waits = bindsLate(claim, classes) ?? latest?.reason === "WaitForFirstConsumer";
  if (waits && claim.metadata.annotations?.[CHOSEN_NODE] === undefined) {
    return { ...READY, notes: ["it is bound when the first pod uses it"] };
  }
  const event = latestEvent(sight, uid, TROUBLE);
  const problems: readonly Problem[] =
    event === undefined
      ? []
      : [
          {
            key: `claim:${uid}`,
            reason: "VolumeNotBound",
            message: `claim ${name} is not bound: ${event.message ?? event.reason ?? ""}`,
            remedy: "Check the storage class and whether a volume fits the claim.",
            grace: sight.graces.volume,
          },
        ];
  return underway(["it is not bound to a volume"], { problems });
}

/** Whether the class of a claim binds it only for its first pod; undefined where nobody can tell. */
function bindsLate(
  { spec }: PersistentVolumeClaim,
  classes: readonly KubernetesObject[] | undefined,
): boolean | undefined {
  const own = classes?.find(({ metadata }) => metadata.name === spec?.storageClassName);
  return own === undefined
    ? undefined
    : (own as StorageClass).volumeBindingMode === "WaitForFirstConsumer";
}
