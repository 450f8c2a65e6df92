import { type KubernetesObject, nameOf } from "../kubernetes/index.ts";
import { repositoryOf, workloadsOf } from "../workload/index.ts";

/** The kinds whose images are set in the cluster, as `kubectl set image` does. */
export const KINDS = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "apps/v1", kind: "DaemonSet" },
  { apiVersion: "batch/v1", kind: "CronJob" },
] as const;

/** A container of a live workload. */
export interface LiveContainer {
  readonly workload: LiveWorkload;
  readonly name: string;
  readonly image: string;
  readonly init: boolean;
}

/** A live workload, with what deciding about its images needs. */
export interface LiveWorkload {
  /** `deployment/web` */
  readonly title: string;
  readonly object: KubernetesObject;
  readonly containers: readonly LiveContainer[];
}

export function liveWorkload(object: KubernetesObject): LiveWorkload {
  const [workload] = workloadsOf([object], "");
  const { kind, metadata } = object;
  const live: { -readonly [K in keyof LiveWorkload]: LiveWorkload[K] } = {
    title: nameOf({ kind, name: metadata.name }),
    object,
    containers: [],
  };
  live.containers = (workload?.containers ?? []).map(({ name, image, init }) => ({
    workload: live,
    name,
    image,
    init,
  }));
  return live;
}

/** `container web of deployment/shop` */
export function placeOf({ name, init, workload }: LiveContainer): string {
  return `${init ? "init container" : "container"} ${name} of ${workload.title}`;
}

/** A repository in full, so that `nginx` and `docker.io/library/nginx` are seen to be one. */
export function fullRepository(image: string): string {
  const repository = repositoryOf(image);
  const [host = "", ...rest] = repository.split("/");
  const named = rest.length > 0 && (/[.:]/.test(host) || host === "localhost");
  const path = named && host !== "docker.io" && host !== "index.docker.io" ? undefined : repository;
  if (path === undefined) return repository;
  const onHub = named ? rest.join("/") : path;
  return `docker.io/${onHub.includes("/") ? onHub : `library/${onHub}`}`;
}

/** The last part of a repository's path: what the image is called, in whatever registry. */
export function imageName(image: string): string {
  return repositoryOf(image).split("/").at(-1) ?? "";
}
