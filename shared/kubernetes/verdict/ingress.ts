import type { KubernetesObject } from "../object.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, READY, underway } from "./verdict.ts";

interface Ingress extends KubernetesObject {
  readonly spec?: { readonly ingressClassName?: string };
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] | null;
    };
  };
}

/** What was used before spec.ingressClassName. */
const CLASS = "kubernetes.io/ingress.class";

/**
 * The verdict on an Ingress: it has an address. Some controllers never tell one, so that an Ingress
 * that nobody named is waited for only for a while.
 */
export function assessIngress(
  object: KubernetesObject,
  incidental: boolean,
  sight: Sight,
): Assessment {
  const ingress: Ingress = object;
  const points = ingress.status?.loadBalancer?.ingress ?? [];
  if (points.some(({ ip, hostname }) => Boolean(ip) || Boolean(hostname))) return READY;
  const { annotations, creationTimestamp } = ingress.metadata;
  const name = ingress.spec?.ingressClassName ?? annotations?.[CLASS];
  const whose =
    name === undefined
      ? "it names no class, so that only a default controller serves it"
      : `its class is ${name}`;
  const missing = `no controller has given it an address (${whose})`;
  const until = Date.parse(creationTimestamp ?? "") + sight.graces.address;
  if (!incidental || sight.now < until) {
    return underway([missing], incidental ? { lookAgainAt: until } : {});
  }
  return { ...READY, notes: [`not checked: ${missing}, and some never tell one`] };
}
