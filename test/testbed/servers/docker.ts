import type { Bed } from "../bed.ts";
import { removeControlGroups } from "../control-groups.ts";
import type { Server } from "../piece.ts";
import { connects } from "../processes.ts";

/**
 * A Docker engine that shares nothing with the machine's own: its containers are on the host's
 * network, and it makes no bridge and touches no firewall rule.
 */
export const docker: Server = {
  name: "docker",
  needs: ["registry"],
  packages: ["docker.io", "containerd", "runc", "tini"],
  start: async (bed) => {
    await removeControlGroups(bed, "docker");
    const file = await bed.write(["docker-engine.json"], JSON.stringify(settings(bed), null, 2));
    await bed.write(["docker-engine", "runc"], runcAsFarAsPossible(bed), 0o755);
    const containerd = await bed.write(["docker-containerd.toml"], containerdSettings(bed));
    const programs = [
      ...[bed.debian("docker.io", "usr/sbin"), bed.debian("docker.io", "usr/bin")],
      ...[bed.debian("containerd", "usr/bin"), bed.debian("runc", "usr/sbin")],
    ];
    return {
      program: "/bin/sh",
      args: ["-c", BOTH, "docker", containerd, file],
      env: { PATH: [...programs, process.env.PATH, "/usr/sbin:/sbin"].join(":") },
      inside: "mounts",
    };
  },
  ready: (bed) => connects(dockerSocket(bed)),
};

// They share their mounts, and the engine is of no use without its containerd, nor that without it.
const BOTH = 'setpriv --pdeathsig KILL containerd --config="$1" & exec dockerd --config-file="$2"';

/** The engine's Unix socket. */
export function dockerSocket(bed: Bed): string {
  return bed.path("docker-engine", "docker.sock");
}

function settings(bed: Bed) {
  return {
    "data-root": bed.path("docker-engine", "root"),
    "exec-root": bed.path("docker-engine", "exec"),
    // Else it is written to /etc/docker.
    "deprecated-key-path": bed.path("docker-engine", "key.json"),
    pidfile: bed.path("docker-engine", "docker.pid"),
    containerd: containerdSocket(bed),
    hosts: [`unix://${dockerSocket(bed)}`],
    "cgroup-parent": `/${bed.controlGroup}/docker`,
    runtimes: { "as-far-as-possible": { path: bed.path("docker-engine", "runc") } },
    "default-runtime": "as-far-as-possible",
    "storage-driver": "overlay2",
    "init-path": bed.debian("tini", "usr/bin/tini-static"),
    bridge: "none",
    iptables: false,
    "ip-forward": false,
    "ip-masq": false,
  };
}

/**
 * A privileged container is to have every capability that the kernel knows, and runc fails where
 * the machine itself, being a container, lacks one: that one is left out.
 */
function runcAsFarAsPossible(bed: Bed): string {
  return `#!/bin/sh
bound=$(sed -n 's/^CapBnd:\\t*//p' /proc/self/status)
previous=
for word; do
  case $previous in
    --bundle) file=$word/config.json ;;
    --process) file=$word ;;
    *) file= ;;
  esac
  if [ -n "$file" ] && [ $((0x$bound >> ${SYS_RESOURCE} & 1)) = 0 ]; then
    sed -i 's/,"CAP_SYS_RESOURCE"//g' "$file"
  fi
  previous=$word
done
exec "${bed.debian("runc", "usr/sbin/runc")}" "$@"
`;
}

/** The number of CAP_SYS_RESOURCE (capabilities(7)). */
const SYS_RESOURCE = 24;

function containerdSocket(bed: Bed): string {
  return bed.path("docker-engine", "containerd.sock");
}

function containerdSettings(bed: Bed): string {
  return `
version = 2
root = "${bed.path("docker-engine", "containerd", "root")}"
state = "${bed.path("docker-engine", "containerd", "state")}"
disabled_plugins = [
  "io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]

[grpc]
  address = "${containerdSocket(bed)}"
`;
}
