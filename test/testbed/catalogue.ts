import { buildah } from "./buildah.ts";
import { databases, nameOfPostgres, postgresMajors } from "./databases.ts";
import { buildkitImage } from "./images/buildkit.ts";
import { busyboxImage } from "./images/busybox.ts";
import { databaseImages } from "./images/databases.ts";
import { nodeImage } from "./images/node.ts";
import { pauseImage } from "./images/pause.ts";
import type { Piece } from "./piece.ts";
import { buildkit } from "./servers/buildkit.ts";
import { containerd } from "./servers/containerd.ts";
import { coredns } from "./servers/coredns.ts";
import { docker } from "./servers/docker.ts";
import { etcd } from "./servers/etcd.ts";
import { apiserver } from "./servers/kube-apiserver.ts";
import { controllerManager } from "./servers/kube-controller-manager.ts";
import { kubeProxy } from "./servers/kube-proxy.ts";
import { scheduler } from "./servers/kube-scheduler.ts";
import { kubelet } from "./servers/kubelet.ts";
import { kwok } from "./servers/kwok.ts";
import { minio } from "./servers/minio.ts";
import { node } from "./servers/node.ts";
import { nodeRegistry } from "./servers/node-registry.ts";
import { registry } from "./servers/registry.ts";
import { buildx, tools } from "./tools.ts";

/** Everything the bed can bring up; a new piece is added here. Modules are built in this order. */
export const pieces: readonly Piece[] = [
  registry,
  node,
  nodeRegistry,
  pauseImage,
  etcd,
  apiserver,
  controllerManager,
  scheduler,
  containerd,
  kubelet,
  kubeProxy,
  coredns,
  busyboxImage,
  nodeImage,
  buildkit,
  buildkitImage,
  buildx,
  docker,
  buildah,
  minio,
  ...databases,
  ...databaseImages,
  ...tools,
  kwok,
];

/** Names for what is mostly wanted together. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  kubernetes: [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
    "coredns",
    "kubectl",
  ],
  buildkit: ["buildkit", "buildx"],
  postgres: postgresMajors.map(nameOfPostgres),
  "database-images": databaseImages.map(({ name }) => name),
  images: ["pause-image", "busybox-image", "node-image"],
};
