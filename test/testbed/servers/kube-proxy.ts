import { kubeconfig } from "../certificates.ts";
import { kubernetes } from "../modules.ts";
import type { Server } from "../piece.ts";
import { listens } from "../processes.ts";
import { iptablesEnvironment, podSubnet } from "./node.ts";

/** Makes the addresses of services lead to pods. */
export const kubeProxy: Server = {
  name: "kube-proxy",
  needs: ["kube-apiserver"],
  modules: [kubernetes],
  start: async (bed) => {
    const file = await bed.write(["kube-proxy.kubeconfig"], await kubeconfig(bed, "kube-proxy"));
    return {
      program: bed.built(kubernetes, "kube-proxy"),
      args: [
        `--kubeconfig=${file}`,
        `--hostname-override=${bed.name}`,
        "--proxy-mode=iptables",
        `--cluster-cidr=${podSubnet}`,
        "--healthz-bind-address=127.0.0.1:10256",
        "--metrics-bind-address=127.0.0.1:10249",
        // The table's size belongs to the host.
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
        "--iptables-min-sync-period=100ms",
      ],
      env: iptablesEnvironment(bed),
      inside: "node",
    };
  },
  ready: (_bed, pid) => listens(pid, 10256),
};
