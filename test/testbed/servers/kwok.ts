import { kubeconfig } from "../certificates.ts";
import { kwok as kwokModule } from "../modules.ts";
import type { Server } from "../piece.ts";
import { listens } from "../processes.ts";

/**
 * Simulates nodes: create one with the annotation kwok.x-k8s.io/node=fake, and it and the pods
 * given to it become ready without running anything.
 */
export const kwok: Server = {
  name: "kwok",
  needs: ["kube-apiserver"],
  modules: [kwokModule],
  start: async (bed) => {
    const file = await bed.write(["kwok.kubeconfig"], await kubeconfig(bed, "kwok"));
    const stages = kwokModule.files.map(([, , name]) => bed.built(kwokModule, name));
    return {
      program: bed.built(kwokModule, "kwok"),
      args: [
        `--kubeconfig=${file}`,
        "--manage-all-nodes=false",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
        `--node-ip=${bed.addresses.node}`,
        "--node-port=10247",
        "--cidr=10.245.0.0/16",
        "--node-lease-duration-seconds=40",
        ...stages.map((stage) => `--config=${stage}`),
      ],
      env: { HOME: bed.path("kwok") },
      inside: "node",
    };
  },
  ready: (_bed, pid) => listens(pid, 10247),
};
