import type { KubernetesObject } from "../object.ts";
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  Job,
  PersistentVolumeClaim,
  Pod,
  ReplicaSet,
  StatefulSet,
} from "../workload.ts";
import { assessAnyObject } from "./any-object.ts";
import { assessClaim } from "./claim.ts";
import { assessDaemonSet } from "./daemon-set.ts";
import { assessDeployment } from "./deployment.ts";
import { assessJob } from "./job.ts";
import { assessBarePod } from "./pod.ts";
import { assessReplicaSet } from "./replica-set.ts";
import { assessService } from "./service.ts";
import type { Sight } from "./sight.ts";
import { assessStatefulSet } from "./stateful-set.ts";
import { type Assessment, READY } from "./verdict.ts";

/** The objects of a namespace that verdicts on others need. */
export interface Surroundings {
  readonly pods: readonly Pod[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly revisions: readonly ControllerRevision[];
}

const SUSPENDED = { ...READY, notes: ["nothing runs until its schedule comes"] };

/** What can be said of an object of any kind. */
export function assess(object: KubernetesObject, around: Surroundings, sight: Sight): Assessment {
  const { pods, replicaSets, revisions } = around;
  switch (`${object.apiVersion.split("/")[0]}/${object.kind}`) {
    case "apps/Deployment":
      return assessDeployment(object as Deployment, replicaSets, pods, sight);
    case "apps/StatefulSet":
      return assessStatefulSet(object as StatefulSet, pods, sight);
    case "apps/DaemonSet":
      return assessDaemonSet(object as DaemonSet, revisions, pods, sight);
    case "apps/ReplicaSet":
      return assessReplicaSet(object as ReplicaSet, pods, sight);
    case "batch/Job":
      return assessJob(object as Job, pods, sight);
    case "batch/CronJob":
      return SUSPENDED;
    case "v1/Pod":
      return assessBarePod(object as Pod, sight);
    case "v1/Service":
      return assessService(object, pods);
    case "v1/PersistentVolumeClaim":
      return assessClaim(object as PersistentVolumeClaim, sight);
    default:
      return assessAnyObject(object);
  }
}

/** The kinds, beside an object's own, whose objects the verdict on it needs. */
export function neededFor(kind: string): readonly ("Pod" | "ReplicaSet" | "ControllerRevision")[] {
  if (kind === "Deployment") return ["Pod", "ReplicaSet"];
  if (kind === "DaemonSet") return ["Pod", "ControllerRevision"];
  return ["StatefulSet", "ReplicaSet", "Job", "Service"].includes(kind) ? ["Pod"] : [];
}
