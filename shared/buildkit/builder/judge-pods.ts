/** The parts of what kubectl gives of a builder's node that tell how it starts. */
export interface ClusterState {
  readonly pods: readonly Pod[];
  /** Its Deployment or StatefulSet. */
  readonly owners: readonly { readonly status?: { readonly conditions?: readonly Condition[] } }[];
}

interface Pod {
  readonly metadata?: { readonly name?: string };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

interface ContainerStatus {
  readonly ready?: boolean;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
  readonly lastState?: {
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
}

/** Why a builder's pods are not ready. */
export interface PodTrouble {
  /** The same for as long as the trouble is. */
  readonly kind: string;
  readonly sentence: string;
  /** How long it may last before it counts as one that will not heal; Infinity: it may. */
  readonly graceMs: number;
}

// A registry or a token that is late heals at the kubelet's next try, 10 s later.
const IMAGE_GRACE_MS = 14_000;
// A registry that answers, and has it not or gives it not, is believed sooner.
const REFUSED_IMAGE_GRACE_MS = 5_000;
const CRASH_GRACE_MS = 10_000;
const REFUSED_GRACE_MS = 8_000;

/** The worst that is to be seen; undefined while the pods only need their time. */
export function judgePods(states: readonly ClusterState[]): PodTrouble | undefined {
  const troubles = states.flatMap(({ pods, owners }) => [
    ...pods.flatMap(ofPod),
    ...(pods.length === 0 ? owners.flatMap(ofOwner) : []),
  ]);
  return troubles.sort((a, b) => a.graceMs - b.graceMs)[0];
}

function ofPod({ metadata, status }: Pod): PodTrouble[] {
  const name = metadata?.name ?? "?";
  const containers = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ];
  const unscheduled = (status?.conditions ?? []).filter(
    ({ type, status: is }) => type === "PodScheduled" && is === "False",
  );
  return [
    ...unscheduled.map(({ message = "" }) => ({
      kind: "unscheduled",
      // A cluster that grows by itself has a node for it in a minute or two.
      sentence: `The pod ${name} finds no node: ${sentence(message)}`,
      graceMs: Number.POSITIVE_INFINITY,
    })),
    ...containers.flatMap((container) => ofContainer(name, container)),
  ];
}

function ofContainer(pod: string, { state, lastState }: ContainerStatus): PodTrouble[] {
  const { reason = "", message = "" } = state?.waiting ?? {};
  if (/^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull)$/.test(reason)) {
    const definite = /not found|NotFound|denied|unauthorized|forbidden/i.test(message);
    const patience = definite ? REFUSED_IMAGE_GRACE_MS : IMAGE_GRACE_MS;
    const graceMs = reason === "InvalidImageName" ? 0 : patience;
    const text = `The image of the pod ${pod} cannot be pulled: ${sentence(message || reason)}`;
    return [{ kind: "image", sentence: text, graceMs }];
  }
  if (/^Create(Container|PodSandbox).*Error$|^RunContainerError$/.test(reason)) {
    const text = `The container of the pod ${pod} cannot be made: ${sentence(message || reason)}`;
    return [{ kind: "container", sentence: text, graceMs: CRASH_GRACE_MS }];
  }
  const ended = state?.terminated ?? lastState?.terminated;
  if (ended === undefined) return [];
  const how =
    ended.reason === "OOMKilled" ? "out of memory" : `exit status ${ended.exitCode ?? "?"}`;
  const text = `BuildKit ends in the pod ${pod} again and again (${how}); kubectl logs --previous ${pod} has its words.`;
  return [{ kind: "crash", sentence: text, graceMs: CRASH_GRACE_MS }];
}

function ofOwner({ status }: ClusterState["owners"][number]): PodTrouble[] {
  return (status?.conditions ?? [])
    .filter(({ type, status: is }) => type === "ReplicaFailure" && is === "True")
    .map(({ message = "", reason = "" }) => ({
      kind: "refused",
      sentence: `The cluster lets no pod be made: ${sentence(message || reason)}`,
      graceMs: REFUSED_GRACE_MS,
    }));
}

function sentence(text: string): string {
  const plain = text.replace(/\s+/g, " ").trim();
  return `${(plain.length > 400 ? `${plain.slice(0, 400)}…` : plain).replace(/\.$/, "")}.`;
}
