import type { Bed } from "../bed.ts";
import type { Server } from "../piece.ts";
import { connects } from "../processes.ts";
import { iptablesEnvironment, podSubnet } from "./node.ts";

/** Runs the containers of the node's pods. */
export const containerd: Server = {
  name: "containerd",
  needs: ["node"],
  packages: ["containerd", "runc", "containernetworking-plugins"],
  // A kubelet that has lost it waits long before it looks for the new one. Containers live on.
  carriesItsDependents: true,
  start: async (bed) => {
    await bed.write(["cni", "10-bridge.conflist"], JSON.stringify(network(bed), null, 2));
    const file = await bed.write(["containerd.toml"], settings(bed));
    const environment = iptablesEnvironment(bed);
    const programs = ["containerd/usr/bin", "runc/usr/sbin"].map((bin) => bed.debian(bin, ""));
    return {
      program: bed.debian("containerd", "usr/bin/containerd"),
      args: [`--config=${file}`],
      env: { ...environment, PATH: [...programs, environment.PATH].join(":") },
      inside: "node",
    };
  },
  ready: (bed) => connects(containerdSocket(bed)),
};

/** Where kubelet finds containerd. */
export function containerdSocket(bed: Bed): string {
  return bed.path("containerd", "state", "containerd.sock");
}

function settings(bed: Bed): string {
  return `
version = 2
root = "${bed.path("containerd", "root")}"
state = "${bed.path("containerd", "state")}"
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
]

[grpc]
  address = "${containerdSocket(bed)}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${bed.registry}/testbed/pause:1"
  stream_server_address = "127.0.0.1"
  netns_mounts_under_state_dir = true
  # Machines that are containers themselves may not give a process a better score than their own.
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${bed.debian("containernetworking-plugins", "usr/lib/cni")}"
    conf_dir = "${bed.path("cni")}"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

/** The pods' network: one bridge, with addresses from the node's share of the pods' subnet. */
function network(bed: Bed) {
  const ipam = {
    type: "host-local",
    dataDir: bed.path("cni", "addresses"),
    ranges: [[{ subnet: podSubnet, gateway: "10.244.0.1" }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  const bridge = { type: "bridge", bridge: "pods", isGateway: true, ipMasq: true, ipam };
  return {
    cniVersion: "0.4.0",
    name: "pods",
    plugins: [
      { ...bridge, hairpinMode: true },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}
