import type { KubernetesObject } from "../object.ts";
import type { Pod } from "../workload.ts";
import { hasEnded, isReady } from "./pod.ts";
import { type Assessment, READY, underway } from "./verdict.ts";

interface Service extends KubernetesObject {
  readonly spec?: {
    readonly type?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly publishNotReadyAddresses?: boolean;
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] | null } };
}

/** A controller of pods, with the labels that it gives them. */
interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels?: Labels };
    readonly template?: { readonly metadata?: { readonly labels?: Labels } };
  };
  readonly status?: { readonly desiredNumberScheduled?: number };
}

type Labels = Readonly<Record<string, string>>;

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
  const { type, selector } = service.spec ?? {};
  if (type === "ExternalName") return { ...READY, notes: ["it is only another name"] };
  if (type === "LoadBalancer" && (service.status?.loadBalancer?.ingress ?? []).length === 0) {
    return underway(["the load balancer has no address yet"]);
  }
  const wanted = Object.entries(selector ?? {});
  if (wanted.length === 0) return { ...READY, notes: ["it selects no pods by itself"] };
  const matches = (labels: Labels | undefined) =>
    wanted.every(([label, value]) => labels?.[label] === value);
  const chosen = behind.pods.filter(
    (pod) => matches(pod.metadata.labels) && !hasEnded(pod) && !isGoing(pod),
  );
  const published = service.spec?.publishNotReadyAddresses === true && chosen.length > 0;
  if (published || chosen.some(isReady)) return READY;
  if (chosen.length > 0) {
    const pods =
      chosen.length === 1 ? "its only pod is not" : `none of its ${chosen.length} pods is`;
    return underway([`${pods} ready`]);
  }
  const words = wanted.map(([label, value]) => `${label}=${value}`).join(",");
  return withoutPods(words, matches, behind);
}

/** Nothing matches now; whether something is to come, the workloads tell. */
function withoutPods(
  selector: string,
  matches: (labels: Labels | undefined) => boolean,
  { workloads, incidental }: BehindService,
): Assessment {
  const nothing = `no pod matches its selector (${selector})`;
  if (workloads === undefined) return underway([nothing]);
  const own = workloads.filter((workload: Workload) =>
    matches({
      ...workload.spec?.selector?.matchLabels,
      ...workload.spec?.template?.metadata?.labels,
    }),
  );
  if (own.length === 0) {
    const lost = `${nothing}, and no workload here makes such pods`;
    return incidental ? { ...READY, notes: [lost] } : underway([lost]);
  }
  return own.every(wantsNoPods)
    ? { ...READY, notes: ["its workloads want 0 pods: nothing serves it"] }
    : underway([nothing]);
}

function wantsNoPods({ kind, spec, status }: Workload): boolean {
  return kind === "DaemonSet" ? status?.desiredNumberScheduled === 0 : spec?.replicas === 0;
}

function isGoing({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}
