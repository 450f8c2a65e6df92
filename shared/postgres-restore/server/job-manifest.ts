import type { KubernetesObject } from "../../kubernetes/index.ts";

/** A pod's own volume, which goes with the pod. */
export interface JobVolume {
  /** A Kubernetes quantity of bytes: `50Gi`. */
  readonly size: string;
  /** A storage class; the cluster's default when left out. */
  readonly storageClass?: string | undefined;
}

/** What a Job of a throw-away server is made of. */
export interface JobParts {
  readonly namespace: string;
  readonly name: string;
  readonly image: string;
  /** Bytes: asked for and not to be passed. */
  readonly memory: number;
  /** How long its pod may live at most, in seconds. */
  readonly life: number;
  /** The node's own disk when left out. */
  readonly volume?: JobVolume | undefined;
}

/** The only container of the pod. */
export const CONTAINER = "postgres";
/** Where the data lie: the volume. */
export const DATA = "/seaworthy";
/** Where the socket lies: not every volume can hold one. */
export const SOCKET = "/tmp";
/** Which pods belong to which Job, for the network policy and for whoever looks. */
export const JOB_LABEL = "seaworthy.dev/throw-away";

/** `postgres` in the official image of Debian; the others get a name for it by our own passwd. */
const USER = 999;
const PASSWD = "seaworthy.dev/passwd";
/** Whoever looks for what became of a Job that was left alone finds it for so long. */
const KEPT_SECONDS = 120;
/** A sign of life is missed for so long before the pod ends itself. */
const SILENCE_SECONDS = 60;

/**
 * Lives as long as somebody on the other side shows that he is there, by a file that is taken away
 * each time it is seen. Whatever else runs in the container is run beside it.
 */
const LIVE = `trap 'exit 0' TERM INT
left=${2 * SILENCE_SECONDS}
while [ "$left" -gt 0 ]; do
  if rm "$1/alive" 2> /dev/null; then left=${SILENCE_SECONDS}; fi
  left=$((left - 1))
  sleep 1
done
echo "nobody gave a sign of life for ${SILENCE_SECONDS} s"
exit 1`;

/**
 * The Job of a throw-away server: one pod that is never tried again, without an account of the
 * cluster, without privileges, on a file system of which only its own volumes can be written.
 */
export function jobOf({ namespace, name, image, memory, life, volume }: JobParts) {
  const labels = {
    "app.kubernetes.io/name": "seaworthy-throw-away-server",
    "app.kubernetes.io/managed-by": "seaworthy",
    [JOB_LABEL]: name,
  };
  const container = {
    ...{ name: CONTAINER, image, command: ["sh", "-c", LIVE, "sh", SOCKET] },
    resources: {
      requests: { cpu: "100m", memory: `${memory}` },
      limits: { memory: `${memory}` },
    },
    securityContext: {
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, privileged: false },
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "data", mountPath: DATA },
      { name: "scratch", mountPath: SOCKET },
      { name: "shared-memory", mountPath: "/dev/shm" },
      { name: "passwd", mountPath: "/etc/passwd", subPath: "passwd", readOnly: true },
    ],
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { namespace, name, labels },
    spec: {
      ...{ backoffLimit: 0, completions: 1, parallelism: 1 },
      activeDeadlineSeconds: life,
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: {
          labels,
          annotations: {
            // Moved to another node it would have lost everything.
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            // A mesh's companion would outlive it, and needs the network.
            "sidecar.istio.io/inject": "false",
            "linkerd.io/inject": "disabled",
            [PASSWD]: `root:x:0:0::/:/bin/sh\npostgres:x:${USER}:${USER}::${SOCKET}:/bin/sh\n`,
          },
        },
        spec: {
          ...{ restartPolicy: "Never", terminationGracePeriodSeconds: 1 },
          ...{ automountServiceAccountToken: false, enableServiceLinks: false },
          securityContext: {
            ...{ runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, fsGroup: USER },
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [container],
          volumes: [
            { name: "data", ...roomOf(volume) },
            { name: "scratch", emptyDir: { sizeLimit: "64Mi" } },
            { name: "shared-memory", emptyDir: { medium: "Memory", sizeLimit: `${memory}` } },
            { name: "passwd", downwardAPI: { items: [passwdItem()] } },
          ],
        },
      },
    },
  } satisfies KubernetesObject & { readonly spec: object };
}

/** Lets nothing in and nothing out; it goes with its Job. */
export function policyOf(job: KubernetesObject) {
  const { name, namespace = "", uid = "", labels = {} } = job.metadata;
  const owner = { apiVersion: job.apiVersion, kind: job.kind, name, uid };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace, name, labels, ownerReferences: [owner] },
    spec: {
      podSelector: { matchLabels: { [JOB_LABEL]: name } },
      policyTypes: ["Ingress", "Egress"],
    },
  };
}

function roomOf(volume: JobVolume | undefined) {
  if (volume === undefined) return { emptyDir: {} };
  const { size, storageClass } = volume;
  return {
    ephemeral: {
      volumeClaimTemplate: {
        spec: {
          accessModes: ["ReadWriteOnce"],
          ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
          resources: { requests: { storage: size } },
        },
      },
    },
  };
}

/** A user's name can be had from the pod's own annotation: no image has to know the user. */
function passwdItem() {
  return { path: "passwd", fieldRef: { fieldPath: `metadata.annotations['${PASSWD}']` } };
}
