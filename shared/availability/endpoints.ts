import type { KubernetesObject } from "../kubernetes/index.ts";

/** An EndpointSlice of discovery.k8s.io/v1, as far as it is read here. */
export interface EndpointSlice extends KubernetesObject {
  readonly endpoints?:
    | readonly {
        readonly addresses?: readonly string[];
        readonly conditions?: { readonly ready?: boolean | null };
        readonly targetRef?: { readonly uid?: string };
      }[]
    | null;
}

/** The label that names the Service of a slice. */
export const SERVICE_NAME = "kubernetes.io/service-name";

/**
 * How many different endpoints in these slices are ready. A pod with addresses of both families is
 * in two slices and counts once; an unknown readiness counts as ready, as the API says.
 */
export function readyIn(slices: readonly EndpointSlice[]): number {
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .map(({ targetRef, addresses }) => targetRef?.uid ?? addresses?.[0] ?? "");
  return new Set(ready).size;
}
