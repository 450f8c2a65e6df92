import type { PersistentVolumeClaim } from "../workload.ts";
import { latestEvent, type Sight } from "./sight.ts";
import { type Assessment, READY, underway } from "./verdict.ts";

/** The verdict on a PersistentVolumeClaim. */
export function assessClaim(claim: PersistentVolumeClaim, sight: Sight): Assessment {
  const { uid, name } = claim.metadata;
  const phase = claim.status?.phase;
  if (phase === "Bound") return READY;
  if (phase === "Lost") {
    const lost = {
      key: `claim:${uid}`,
      reason: "VolumeLost",
      message: `the volume of claim ${name} is lost`,
      remedy: "Restore the volume, or make the claim anew and restore its data from a backup.",
      grace: 0,
    };
    return underway(["its volume is lost"], { problems: [lost] });
  }
  if (latestEvent(sight, uid, ["WaitForFirstConsumer"]) !== undefined) {
    return { ...READY, notes: ["it is bound when the first pod uses it"] };
  }
  const event = latestEvent(sight, uid, ["ProvisioningFailed", "FailedBinding"]);
  const problems =
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
