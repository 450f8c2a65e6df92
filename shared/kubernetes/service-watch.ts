import type { Cluster, Collection } from "./cluster.ts";
import { viewOf } from "./collection-view.ts";
import {
  choosePort,
  type EndpointSlice,
  findService,
  noReadyPod,
  type ReadyPod,
  readyPods,
  type Service,
  type ServiceRef,
} from "./service-endpoint.ts";

/** Who stands behind a Service, kept up to date by a watch. */
export interface ServiceWatch {
  /**
   * The pods that take the Service's traffic now, by name. Asks the API server nothing once the
   * watch goes.
   *
   * @throws {NoReadyPod} when there is none.
   * @throws {UserError} when there is no such Service or port, or it may not be looked at.
   */
  readyPods(): Promise<readonly ReadyPod[]>;
  /** Looks at the Service itself anew: its port may lead elsewhere now. */
  refresh(): void;
}

/**
 * Watches the EndpointSlices of a Service from the first question on, until the signal aborts.
 * An account that may list and not watch them has them listed at each question.
 */
export function watchService(cluster: Cluster, ref: ServiceRef, signal: AbortSignal): ServiceWatch {
  const bound = cluster.boundTo(signal);
  let service: Promise<Service> | undefined;
  const slices = viewOf<EndpointSlice>(bound, collectionOf(ref), signal);
  return {
    async readyPods() {
      service ??= findService(bound, ref);
      try {
        const port = choosePort(await service, ref.port);
        const all = await slices.items();
        const ready = readyPods(all, port).toSorted((a, b) => (a.pod < b.pod ? -1 : 1));
        if (ready.length === 0) throw noReadyPod(await service, all);
        return ready.map((pod) => ({ namespace: ref.namespace, ...pod }));
      } catch (error) {
        service = undefined;
        throw error;
      }
    },
    refresh() {
      service = undefined;
    },
  };
}

function collectionOf({ namespace, name }: ServiceRef): Collection {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    namespace,
    labelSelector: `kubernetes.io/service-name=${name}`,
  };
}
