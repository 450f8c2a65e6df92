import { kubeconfig } from "../certificates.ts";
import { kubernetes } from "../modules.ts";
import type { Server } from "../piece.ts";
import { listens } from "../processes.ts";

/** Gives pods to nodes. */
export const scheduler: Server = {
  name: "kube-scheduler",
  needs: ["kube-apiserver"],
  modules: [kubernetes],
  start: async (bed) => {
    const file = await bed.write(["scheduler.kubeconfig"], await kubeconfig(bed, "scheduler"));
    return {
      program: bed.built(kubernetes, "kube-scheduler"),
      args: [
        `--kubeconfig=${file}`,
        `--authentication-kubeconfig=${file}`,
        `--authorization-kubeconfig=${file}`,
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
      ],
      inside: "node",
    };
  },
  ready: (_bed, pid) => listens(pid, 10259),
};
