import { UserError } from "../../shared/failure/index.ts";
import { type Cluster, type KubernetesObject, NoReadyPod } from "../../shared/kubernetes/index.ts";
import type { Target, Way } from "../../shared/probe/index.ts";
import type { IngressName } from "./check-spec.ts";
import type { ClusterTrouble } from "./cluster-trouble.ts";
import { notThere } from "./not-there.ts";

/** The fields of an Ingress that tell how its hosts are reached. */
export interface Ingress extends KubernetesObject {
  readonly spec: {
    readonly rules?: readonly { readonly host?: string }[];
    readonly tls?: readonly { readonly hosts?: readonly string[] }[];
  };
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
    };
  };
}

/** A host of an Ingress, asked at the address that its controller gave it: DNS is not needed. */
export function ingressTarget(
  name: string,
  ingress: IngressName & { readonly namespace: string },
  cluster: Cluster,
  trouble: ClusterTrouble,
): Target {
  let way: Way | undefined;
  return {
    name,
    async ways() {
      way ??= await trouble.around(async () => wayTo(await find(cluster, ingress), ingress.host));
      return [way];
    },
    async failed(reason) {
      way = undefined;
      return reason;
    },
  };
}

async function find(
  cluster: Cluster,
  { namespace, name }: IngressName & { readonly namespace: string },
): Promise<Ingress> {
  const ref = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", namespace, name };
  const found = await cluster.find<Ingress>(ref);
  if (found !== undefined) return found;
  throw await notThere(cluster, ref);
}

/**
 * Where a host of an Ingress is reached: over TLS where the Ingress has a certificate for it.
 *
 * @throws {UserError} when it has no such host, {NoReadyPod} while it has no address.
 */
export function wayTo({ metadata, spec, status }: Ingress, wanted: string | undefined): Way {
  const hosts = (spec.rules ?? []).flatMap(({ host }) => host ?? []);
  const fits = (pattern: string, host: string) =>
    pattern === host ||
    (pattern.startsWith("*.") && host.slice(host.indexOf(".")) === pattern.slice(1));
  const host = wanted ?? hosts[0];
  const anyHost = (spec.rules ?? []).some((rule) => rule.host === undefined) || hosts.length === 0;
  if (host?.startsWith("*")) throw unknownHost(metadata.name, host, "name one host of it");
  if (wanted !== undefined && !anyHost && !hosts.some((each) => fits(each, wanted))) {
    throw unknownHost(metadata.name, wanted, `its hosts are ${hosts.join(", ")}`);
  }
  const [first] = status?.loadBalancer?.ingress ?? [];
  const address = first?.ip ?? first?.hostname;
  if (address === undefined) {
    throw new NoReadyPod({
      title: `Ingress ${metadata.name} has no address`,
      cause: `Ingress ${metadata.name} in namespace ${metadata.namespace} has no address yet.`,
      remedy: "See whether an ingress controller runs, and whether the Ingress names its class.",
    });
  }
  const name = host ?? address;
  const secure = (spec.tls ?? []).some(
    ({ hosts: of }) => of === undefined || of.some((each) => fits(each, name)),
  );
  const shown = name.includes(":") ? `[${name}]` : name;
  const base = new URL(`${secure ? "https" : "http"}://${shown}`);
  return { base, via: { host: address, port: secure ? 443 : 80 } };
}

function unknownHost(name: string, host: string, hint: string): UserError {
  return new UserError({
    title: `Ingress ${name} has no host ${host}`,
    cause: `Ingress ${name} cannot be asked as ${host}: ${hint}`,
    remedy: "Name one of its hosts after the Ingress's name: `shop/web www.example.com`.",
  });
}
