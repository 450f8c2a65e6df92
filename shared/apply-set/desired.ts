import type { KubernetesObject } from "../kubernetes/index.ts";

/** An object as it is to be, and where that is written. */
export interface DesiredObject {
  readonly object: KubernetesObject;
  /** `k8s/web.yaml, document 2, line 14` */
  readonly origin: string;
}
