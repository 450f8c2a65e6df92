import type { KubernetesObject } from "../object.ts";
import type { Pod } from "../workload.ts";
import { isReady } from "./pod.ts";
import { type Assessment, READY, underway } from "./verdict.ts";

interface Service extends KubernetesObject {
  readonly spec?: {
    readonly type?: string;
    readonly selector?: Readonly<Record<string, string>>;
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] } };
}

/** The verdict on a Service: something ready is behind it, and what is public has an address. */
export function assessService(object: KubernetesObject, pods: readonly Pod[]): Assessment {
  const service: Service = object;
  const { type, selector = {} } = service.spec ?? {};
  if (type === "ExternalName") return { ...READY, notes: ["it is only another name"] };
  if (type === "LoadBalancer" && (service.status?.loadBalancer?.ingress ?? []).length === 0) {
    return underway(["the load balancer has no address yet"]);
  }
  const wanted = Object.entries(selector);
  if (wanted.length === 0) return { ...READY, notes: ["it selects no pods by itself"] };
  const chosen = pods.filter(({ metadata }) =>
    wanted.every(([label, value]) => metadata.labels?.[label] === value),
  );
  if (chosen.some(isReady)) return READY;
  const words = wanted.map(([label, value]) => `${label}=${value}`).join(",");
  return underway([
    chosen.length === 0
      ? `no pod matches its selector (${words})`
      : `none of its ${chosen.length} pods is ready`,
  ]);
}
