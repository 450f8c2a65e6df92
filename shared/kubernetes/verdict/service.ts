import type { KubernetesObject } from "../object.ts";
import type { Pod } from "../workload.ts";
import { hasEnded, isReady } from "./pod.ts";
import { type Assessment, READY, underway } from "./verdict.ts";
import { isSelected, type Labels, makersOf, wantedPods } from "./workloads.ts";

interface Service extends KubernetesObject {
  readonly spec?: {
    readonly type?: string;
    readonly selector?: Labels;
    readonly publishNotReadyAddresses?: boolean;
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] | null } };
}

export interface BehindService {
  readonly pods: readonly Pod[];
  /** Deployments, StatefulSets and DaemonSets of its namespace; undefined: nobody may read them. */
  readonly workloads: readonly KubernetesObject[] | undefined;
  /** Nobody named the Service: it was found among others. */
  readonly incidental: boolean;
}

/** The verdict on a Service: something ready is behind it, and what is public has an address. */
export function assessService(object: KubernetesObject, behind: BehindService): Assessment {
  const service: Service = object;
  const { type, selector = {} } = service.spec ?? {};
  if (type === "ExternalName") return { ...READY, notes: ["it is only another name"] };
  if (type === "LoadBalancer" && (service.status?.loadBalancer?.ingress ?? []).length === 0) {
    return underway(["the load balancer has no address yet"]);
  }
  if (Object.keys(selector).length === 0) {
    return { ...READY, notes: ["it selects no pods by itself"] };
  }
  const chosen = behind.pods.filter(
    (pod) =>
      isSelected(pod.metadata.labels, { matchLabels: selector }) && !hasEnded(pod) && !isGoing(pod),
  );
  const published = service.spec?.publishNotReadyAddresses === true && chosen.length > 0;
  if (published || chosen.some(isReady)) return READY;
  if (chosen.length > 0) {
    const pods =
      chosen.length === 1 ? "its only pod is not" : `none of its ${chosen.length} pods is`;
    return underway([`${pods} ready`]);
  }
  return withoutPods(selector, behind);
}

/** Nothing matches now; whether something is to come, the workloads tell. */
function withoutPods(selector: Labels, { workloads, incidental }: BehindService): Assessment {
  const words = Object.entries(selector).map(([label, value]) => `${label}=${value}`);
  const nothing = `no pod matches its selector (${words.join(",")})`;
  if (workloads === undefined) {
    const unknown = `${nothing}; whether any workload makes such pods may not be read`;
    return incidental ? { ...READY, notes: [`not checked: ${unknown}`] } : underway([nothing]);
  }
  const makers = makersOf({ matchLabels: selector }, workloads);
  if (makers.length === 0) {
    const lost = `${nothing}, and no workload here makes such pods`;
    return incidental ? { ...READY, notes: [lost] } : underway([lost]);
  }
  return makers.every((maker) => wantedPods(maker) === 0)
    ? { ...READY, notes: ["its workloads want 0 pods: nothing serves it"] }
    : underway([nothing]);
}

function isGoing({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}
