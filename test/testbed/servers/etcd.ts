import type { Server } from "../piece.ts";
import { listens } from "../processes.ts";

/** The cluster's store. It forgets nothing by a kill, though by a power cut: it does not sync. */
export const etcd: Server = {
  name: "etcd",
  needs: ["node"],
  packages: ["etcd-server"],
  start: (bed) => ({
    program: bed.debian("etcd-server", "usr/bin/etcd"),
    args: [
      "--name=seaworthy",
      `--data-dir=${bed.path("etcd")}`,
      "--unsafe-no-fsync",
      "--listen-client-urls=http://127.0.0.1:2379",
      "--advertise-client-urls=http://127.0.0.1:2379",
      "--listen-peer-urls=http://127.0.0.1:2380",
      "--initial-advertise-peer-urls=http://127.0.0.1:2380",
      "--initial-cluster=seaworthy=http://127.0.0.1:2380",
      "--auto-compaction-retention=1",
      "--logger=zap",
    ],
    inside: "node",
  }),
  ready: (_bed, pid) => listens(pid, 2379),
};
