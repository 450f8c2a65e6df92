import type { Cluster, Collection } from "./cluster.ts";
import { viewOf } from "./collection-view.ts";
import {
  choosePort,
  type EndpointSlice,
  findService,
  noReadyPod,
  type ReadyPod,
  readyNamesOf,
  readyPods,
  refuseAlias,
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
  /** The names of these pods, whatever their ports. Throws as `readyPods` does. */
  readyNames(): Promise<readonly string[]>;
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
  const look = async <T>(
    of: (service: Service, slices: readonly EndpointSlice[]) => readonly T[],
  ) => {
    service ??= findService(bound, ref);
    try {
      const [known, all] = [await service, await slices.items()];
      const found = of(known, all);
      if (found.length === 0) throw noReadyPod(known, all);
      return found;
    } catch (error) {
      service = undefined;
      throw error;
    }
  };
  return {
    readyPods: () =>
      look((known, all) => {
        const ready = readyPods(all, choosePort(known, ref.port));
        return ready
          .toSorted((a, b) => (a.pod < b.pod ? -1 : 1))
          .map((pod) => ({ namespace: ref.namespace, ...pod }));
      }),
    readyNames: () =>
      look((known, all) => {
        refuseAlias(known);
        return [...new Set(all.flatMap((slice) => readyNamesOf(slice)))].sort();
      }),
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
