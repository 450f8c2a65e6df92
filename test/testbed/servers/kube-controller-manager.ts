import { kubeconfig } from "../certificates.ts";
import { read } from "../kubernetes-api.ts";
import { kubernetes } from "../modules.ts";
import type { Server } from "../piece.ts";

/** The loops that make Deployments into pods, and give every namespace its service account. */
export const controllerManager: Server = {
  name: "kube-controller-manager",
  needs: ["kube-apiserver"],
  modules: [kubernetes],
  start: async (bed) => {
    const file = await bed.write(
      ["controller-manager.kubeconfig"],
      await kubeconfig(bed, "controller-manager"),
    );
    const pki = (name: string) => bed.path("pki", name);
    return {
      program: bed.built(kubernetes, "kube-controller-manager"),
      args: [
        `--kubeconfig=${file}`,
        `--authentication-kubeconfig=${file}`,
        `--authorization-kubeconfig=${file}`,
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--use-service-account-credentials",
        `--root-ca-file=${pki("ca.crt")}`,
        `--service-account-private-key-file=${pki("service-account.key")}`,
        `--cluster-signing-cert-file=${pki("ca.crt")}`,
        `--cluster-signing-key-file=${pki("ca.key")}`,
      ],
      inside: "node",
    };
  },
  // Without its service account a namespace takes no pods.
  ready: async (bed) =>
    (await read(bed, "/api/v1/namespaces/default/serviceaccounts/default")) !== undefined,
};
