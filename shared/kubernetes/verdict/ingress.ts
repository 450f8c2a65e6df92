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

/** Marks the class of what names none. */
const DEFAULT = "ingressclass.kubernetes.io/is-default-class";

/**
 * The verdict on an Ingress: it has an address. Some controllers never tell one, so that an Ingress
 * that nobody named is waited for only for a while, and not at all where nobody serves its class.
 *
 * @param classes the IngressClasses of the cluster; undefined where they may not be read.
 */
export function assessIngress(
  object: KubernetesObject,
  classes: readonly KubernetesObject[] | undefined,
  incidental: boolean,
  sight: Sight,
): Assessment {
  const ingress: Ingress = object;
  const points = ingress.status?.loadBalancer?.ingress ?? [];
  if (points.some(({ ip, hostname }) => Boolean(ip) || Boolean(hostname))) return READY;
  const unserved = whyUnserved(ingress, classes);
  const missing = `it has no address: ${unserved ?? "its controller has given it none"}`;
  if (!incidental) return underway([missing]);
  const until = Date.parse(ingress.metadata.creationTimestamp ?? "") + sight.graces.address;
  if (unserved === undefined && sight.now < until) {
    return underway([missing], { lookAgainAt: until });
  }
  return { ...READY, notes: [`not checked whether it is served: ${missing}`] };
}

/** Why no controller takes an Ingress; undefined where one may. */
function whyUnserved(
  { metadata, spec }: Ingress,
  classes: readonly KubernetesObject[] | undefined,
): string | undefined {
  const named = spec?.ingressClassName;
  // Controllers that go by the annotation need no IngressClass.
  if (classes === undefined || metadata.annotations?.[CLASS] !== undefined) return undefined;
  if (named !== undefined) {
    return classes.some((one) => one.metadata.name === named)
      ? undefined
      : `there is no IngressClass ${named}`;
  }
  return classes.some((one) => one.metadata.annotations?.[DEFAULT] === "true")
    ? undefined
    : "it names no class, and none is the default";
}
