import type { Bed } from "../bed.ts";
import { kubeconfig } from "../certificates.ts";
import { apply } from "../kubernetes-api.ts";
import { kubernetes } from "../modules.ts";
import type { Server } from "../piece.ts";

/** The cluster's name server, as pods know it. */
export const dnsAddress = "10.96.0.10";

/** Answers for names of services and pods. A process of the node, behind the usual service. */
export const coredns: Server = {
  name: "coredns",
  needs: ["kube-apiserver"],
  modules: [kubernetes],
  start: async (bed) => {
    for (const [path, object] of objects(bed)) await apply(bed, path, object);
    const credentials = await bed.write(["coredns.kubeconfig"], await kubeconfig(bed, "coredns"));
    const file = await bed.write(["Corefile"], corefile(bed, credentials));
    return {
      program: bed.built(kubernetes, "coredns"),
      args: ["-conf", file],
      inside: "node",
    };
  },
  ready: async (bed) => {
    const answer = await fetch(`http://${bed.addresses.node}:8181/ready`).catch(() => undefined);
    return answer?.ok === true;
  },
};

function corefile(bed: Bed, credentials: string): string {
  return `.:53 {
  bind ${bed.addresses.node}
  errors
  ready ${bed.addresses.node}:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${credentials} ${bed.name}
    ttl 5
  }
  cache 5
}
`;
}

/** What CoreDNS may read, and the service that leads to it. */
function objects(bed: Bed): [path: string, object: object][] {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const metadata = { name: "system:coredns" };
  const verbs = ["list", "watch"];
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
  ];
  return [
    [
      `${rbac}/clusterroles/system:coredns`,
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata,
        rules: [
          { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs },
          { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs },
        ],
      },
    ],
    [
      `${rbac}/clusterrolebindings/system:coredns`,
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", ...metadata },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", ...metadata }],
      },
    ],
    [
      "/api/v1/namespaces/kube-system/services/kube-dns",
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "kube-dns", namespace: "kube-system" },
        spec: { clusterIP: dnsAddress, ports },
      },
    ],
    [
      "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns",
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          name: "kube-dns",
          namespace: "kube-system",
          labels: { "kubernetes.io/service-name": "kube-dns" },
        },
        addressType: "IPv4",
        endpoints: [{ addresses: [bed.addresses.node], conditions: { ready: true } }],
        ports,
      },
    ],
  ];
}
