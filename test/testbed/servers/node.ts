import { rm, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bed } from "../bed.ts";
import { makeControlGroups, removeControlGroups } from "../control-groups.ts";
import type { Server } from "../piece.ts";

/** Where pods and services have their addresses; only the node ever sees them. */
export const podSubnet = "10.244.0.0/16";
export const serviceSubnet = "10.96.0.0/16";

/** Debian packages with the iptables that kube-proxy, kubelet and the CNI plugins call. */
const iptables = [
  "iptables",
  "libip4tc2",
  "libip6tc2",
  "libmnl0",
  "libnetfilter-conntrack3",
  "libnfnetlink0",
  "libnftnl11",
  "libxtables12",
];

/**
 * The machine of the cluster: network and mount namespaces held by one sleeping process, and a link
 * to the host. When the last process inside has ended, the kernel removes all of it: interfaces,
 * firewall rules and mounts.
 */
export const node: Server = {
  name: "node",
  needs: [],
  packages: iptables,
  carriesItsDependents: true,
  prepare: async (bed) => {
    // Pods of a node that has died keep its network from going.
    await removeControlGroups(bed, "kubepods");
    await untilLinkIsGone(bed);
    await makeControlGroups(bed);
  },
  start: async (bed) => {
    await rm(readyFile(bed), { force: true });
    return {
      program: "unshare",
      args: ["--mount", "--net", "--propagation", "private", "--", "sh", "-euc", setup(bed)],
    };
  },
  ready: async (bed) => (await stat(readyFile(bed)).catch(() => undefined)) !== undefined,
};

/** The kernel removes a network namespace a moment after its last process has ended. */
export async function untilLinkIsGone(bed: Bed): Promise<void> {
  const link = `/sys/class/net/${linkName(bed)}`;
  const deadline = Date.now() + 10_000;
  while (await stat(link).catch(() => undefined)) {
    if (Date.now() > deadline) {
      throw new Error(`the link ${link} does not go: does a process still use the node's network?`);
    }
    await sleep(20);
  }
}

/** The host's end of the link. Names of interfaces have at most 15 characters. */
function linkName(bed: Bed): string {
  const [, , third] = bed.addresses.node.split(".");
  return `seaworthy-${third}`;
}

/**
 * Environment of programs that call iptables: the unpacked Debian package's, by the names that the
 * node's own folder gives it.
 */
export function iptablesEnvironment(bed: Bed): Record<string, string> {
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const path = process.env.PATH ?? "";
  return {
    PATH: `${bed.path("node", "bin")}:${path}:/usr/sbin:/sbin:/usr/bin:/bin`,
    LD_LIBRARY_PATH: iptables.map((name) => bed.debian(name, `usr/lib/${triplet}`)).join(":"),
    XTABLES_LIBDIR: bed.debian("iptables", `usr/lib/${triplet}/xtables`),
  };
}

function readyFile(bed: Bed): string {
  return bed.path("node", "ready");
}

function setup(bed: Bed): string {
  const link = linkName(bed);
  const { host, node } = bed.addresses;
  const own = bed.path("node");
  const multi = bed.debian("iptables", "usr/sbin/xtables-nft-multi");
  const names = ["iptables", "iptables-save", "iptables-restore"];
  const all = [...names, ...names.map((name) => name.replace("ip", "ip6"))];
  return `
    mkdir -p ${own}/bin ${own}/upper
    for name in ${all.join(" ")}; do ln -sf ${multi} ${own}/bin/$name; done

    # Kubelet and containerd write below these folders whatever they are told: they are to write to
    # the bed's own, and never to meet another cluster's. What else is there stays visible.
    mount -t tmpfs tmpfs ${own}/upper
    for folder in lib log; do
      mkdir -p ${own}/upper/$folder ${own}/upper/$folder.work
      mount -t overlay overlay /var/$folder \\
        -o lowerdir=/var/$folder,upperdir=${own}/upper/$folder,workdir=${own}/upper/$folder.work
    done
    mount -t tmpfs tmpfs /run

    # The host's end goes to where this process came from: its parent still lives there.
    ip link set lo up
    ip link add eth0 type veth peer name ${link} netns $PPID
    nsenter --target=$PPID --net ip address add ${host}/24 dev ${link}
    nsenter --target=$PPID --net ip link set ${link} up
    ip address add ${node}/24 dev eth0
    ip link set eth0 up
    ip route add default via ${host}
    echo 1 > /proc/sys/net/ipv4/ip_forward

    touch ${readyFile(bed)}
    exec sleep infinity
  `;
}
