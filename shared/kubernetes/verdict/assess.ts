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
import { assessApiService } from "./api-service.ts";
import { assessAutoscaler } from "./autoscaler.ts";
import { assessClaim } from "./claim.ts";
import { assessDaemonSet } from "./daemon-set.ts";
import { assessDefinition } from "./definition.ts";
import { assessDemand, type Demand } from "./demand.ts";
import { assessDeployment } from "./deployment.ts";
import { assessDisruptionBudget } from "./disruption-budget.ts";
import { assessGateway } from "./gateway.ts";
import { assessIngress } from "./ingress.ts";
import { assessJob } from "./job.ts";
import { familyOf } from "./needs.ts";
import { assessBarePod } from "./pod.ts";
import { assessReplicaSet } from "./replica-set.ts";
import { assessRoute } from "./route.ts";
import { assessService } from "./service.ts";
import { latestWarning, type Sight } from "./sight.ts";
import { assessStatefulSet } from "./stateful-set.ts";
import { type Assessment, READY } from "./verdict.ts";

/** The objects that verdicts on others need. */
export interface Surroundings {
  /** Of the object itself where it makes pods, else those of its namespace. */
  readonly pods: readonly Pod[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly revisions: readonly ControllerRevision[];
  /** All objects of another kind that is needed; undefined where they may not be read. */
  others(kind: string): readonly KubernetesObject[] | undefined;
}

/** What is wanted of an object beyond the verdict on its kind. */
export interface Wish {
  readonly demand?: Demand | undefined;
  readonly incidental?: boolean | undefined;
}

/** What can be said of an object of any kind. */
export function assess(
  object: KubernetesObject,
  around: Surroundings,
  sight: Sight,
  wish: Wish = {},
): Assessment {
  const byKind = assessKind(object, around, sight, wish.incidental === true);
  const { demand } = wish;
  const assessment = demand === undefined ? byKind : assessDemand(object, demand, byKind);
  return withHint(assessment, object, sight);
}

const SCHEDULED = { ...READY, notes: ["nothing runs until its schedule comes"] };
const SUSPENDED = { ...READY, notes: ["it is suspended: nothing runs until it is resumed"] };

function assessKind(
  object: KubernetesObject,
  around: Surroundings,
  sight: Sight,
  incidental: boolean,
): Assessment {
  const { pods, replicaSets, revisions } = around;
  switch (familyOf(object)) {
    case "apps/Deployment":
      return assessDeployment(object as Deployment, replicaSets, pods, sight);
    case "apps/StatefulSet":
      return assessStatefulSet(object as StatefulSet, pods, sight);
    case "apps/DaemonSet":
      return assessDaemonSet(
        object as DaemonSet,
        { revisions, pods, nodes: around.others("Node") },
        sight,
      );
    case "apps/ReplicaSet":
    case "v1/ReplicationController":
      return assessReplicaSet(object as ReplicaSet, pods, sight);
    case "batch/Job":
      return assessJob(object as Job, pods, sight);
    case "batch/CronJob":
      return (object as Job).spec?.suspend === true ? SUSPENDED : SCHEDULED;
    case "v1/Pod":
      return assessBarePod(object as Pod, sight);
    case "v1/Service":
      return assessService(object, { pods, workloads: workloadsOf(around), incidental });
    case "v1/PersistentVolumeClaim":
      return assessClaim(object as PersistentVolumeClaim, around.others("StorageClass"), sight);
    case "autoscaling/HorizontalPodAutoscaler":
      return assessAutoscaler(object, pods, incidental, sight);
    case "policy/PodDisruptionBudget":
      return assessDisruptionBudget(object, workloadsOf(around), sight);
    case "networking.k8s.io/Ingress":
      return assessIngress(object, around.others("IngressClass"), incidental, sight);
    case "gateway.networking.k8s.io/Gateway":
      return assessGateway(object, sight);
    case "gateway.networking.k8s.io/HTTPRoute":
    case "gateway.networking.k8s.io/GRPCRoute":
    case "gateway.networking.k8s.io/TLSRoute":
    case "gateway.networking.k8s.io/TCPRoute":
    case "gateway.networking.k8s.io/UDPRoute":
      return assessRoute(object, sight);
    case "apiextensions.k8s.io/CustomResourceDefinition":
      return assessDefinition(object);
    case "apiregistration.k8s.io/APIService":
      return assessApiService(object, sight);
    default:
      return assessAnyObject(object, sight);
  }
}

const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet"];

/** Undefined when one of the kinds may not be read: then what is not seen may still be there. */
function workloadsOf(around: Surroundings): readonly KubernetesObject[] | undefined {
  const lists = WORKLOADS.map((kind) => around.others(kind));
  return lists.some((list) => list === undefined) ? undefined : lists.flatMap((list) => list ?? []);
}

const LONGEST_HINT = 200;

/** The newest warning about an object that is under way, quoted: a hint for the reader, no verdict. */
function withHint(
  assessment: Assessment,
  { metadata }: KubernetesObject,
  sight: Sight,
): Assessment {
  const { ready, problems, missing } = assessment;
  if (ready || problems.length > 0) return assessment;
  const warning = latestWarning(sight, metadata.uid);
  if (warning === undefined) return assessment;
  const words = `${warning.reason}: ${(warning.message ?? "").split("\n")[0]?.slice(0, LONGEST_HINT)}`;
  if (missing.some((phrase) => phrase.includes(words))) return assessment;
  return { ...assessment, missing: [...missing, `a warning says ${words}`] };
}
