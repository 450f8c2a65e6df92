import { kubeconfig, makeCertificates } from "../certificates.ts";
import { isHealthy } from "../kubernetes-api.ts";
import { kubernetes } from "../modules.ts";
import type { Server } from "../piece.ts";
import { serviceSubnet } from "./node.ts";

/** The Kubernetes API, at the node's address. */
export const apiserver: Server = {
  name: "kube-apiserver",
  needs: ["etcd"],
  modules: [kubernetes],
  start: async (bed) => {
    await makeCertificates(bed);
    await bed.write(["kubeconfig"], await kubeconfig(bed, "admin"));
    const pki = (file: string) => bed.path("pki", file);
    return {
      program: bed.built(kubernetes, "kube-apiserver"),
      args: [
        "--etcd-servers=http://127.0.0.1:2379",
        "--bind-address=0.0.0.0",
        "--secure-port=6443",
        `--advertise-address=${bed.addresses.node}`,
        `--service-cluster-ip-range=${serviceSubnet}`,
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged",
        `--client-ca-file=${pki("ca.crt")}`,
        `--tls-cert-file=${pki("apiserver.crt")}`,
        `--tls-private-key-file=${pki("apiserver.key")}`,
        "--kubelet-preferred-address-types=InternalIP",
        `--kubelet-certificate-authority=${pki("ca.crt")}`,
        `--kubelet-client-certificate=${pki("apiserver-kubelet-client.crt")}`,
        `--kubelet-client-key=${pki("apiserver-kubelet-client.key")}`,
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        `--service-account-key-file=${pki("service-account.pub")}`,
        `--service-account-signing-key-file=${pki("service-account.key")}`,
        `--requestheader-client-ca-file=${pki("front-proxy-ca.crt")}`,
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        `--proxy-client-cert-file=${pki("front-proxy-client.crt")}`,
        `--proxy-client-key-file=${pki("front-proxy-client.key")}`,
        // Nothing is left to serve when this one is told to end.
        "--shutdown-delay-duration=0s",
      ],
      inside: "node",
    };
  },
  ready: (bed) => isHealthy(bed, "/readyz"),
};
