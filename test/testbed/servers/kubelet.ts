import type { Bed } from "../bed.ts";
import { kubeconfig } from "../certificates.ts";
import { read } from "../kubernetes-api.ts";
import { kubernetes } from "../modules.ts";
import type { Server } from "../piece.ts";
import { listens } from "../processes.ts";
import { containerdSocket } from "./containerd.ts";
import { dnsAddress } from "./coredns.ts";
import { iptablesEnvironment } from "./node.ts";

/** The cluster's one real node. */
export const kubelet: Server = {
  name: "kubelet",
  needs: ["kube-apiserver", "containerd", "node-registry", "pause-image"],
  modules: [kubernetes],
  start: async (bed) => {
    const credentials = await bed.write(["kubelet.kubeconfig"], await kubeconfig(bed, "kubelet"));
    const file = await bed.write(["kubelet.json"], JSON.stringify(settings(bed), null, 2));
    return {
      program: bed.built(kubernetes, "kubelet"),
      args: [
        `--config=${file}`,
        `--kubeconfig=${credentials}`,
        `--root-dir=${bed.path("kubelet")}`,
        `--hostname-override=${bed.name}`,
        `--node-ip=${bed.addresses.node}`,
      ],
      env: iptablesEnvironment(bed),
      inside: "node",
    };
  },
  ready: async (bed, pid) => {
    // The node object speaks of an earlier kubelet until this one is at work.
    if (!(await listens(pid, 10250))) return false;
    const found = await read(bed, `/api/v1/nodes/${bed.name}`);
    const conditions = found?.status?.conditions ?? [];
    return conditions.some(({ type, status }) => type === "Ready" && status === "True");
  },
};

function settings(bed: Bed) {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: bed.addresses.node,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: bed.path("pki", "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: bed.path("pki", "kubelet.crt"),
    tlsPrivateKeyFile: bed.path("pki", "kubelet.key"),
    containerRuntimeEndpoint: `unix://${containerdSocket(bed)}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${bed.controlGroup}`,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    clusterDNS: [dnsAddress],
    clusterDomain: "cluster.local",
    // Pods get the cluster's DNS alone: the host's name servers are out of their reach.
    resolvConf: "",
    podLogsDir: bed.path("kubelet", "pod-logs"),
    volumePluginDir: bed.path("kubelet", "volume-plugins"),
    maxPods: 250,
    // The disk is the host's, and may be fuller than a real node's would be.
    evictionHard: {
      "memory.available": "50Mi",
      "nodefs.available": "1%",
      "imagefs.available": "1%",
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    registryPullQPS: 0,
    // 0 would not mean no limit, but the client library's own: 5 a second.
    eventRecordQPS: 500,
    eventBurst: 1000,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    serializeImagePulls: false,
    nodeStatusUpdateFrequency: "4s",
  };
}
