import type { KubernetesObject } from "../shared/kubernetes/index.ts";
import type { Workspace } from "../test/workflow/act/index.ts";

export const FAULT_NAMES = ["image", "crash", "config"] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

/** A way in which a version goes wrong, as teams bring it about. */
export interface Fault {
  readonly name: FaultName;
  /** Completes "version 1.1.0, ...". */
  readonly story: string;
  /** What the commit says that brings it in. */
  readonly message: string;
  /** Changes the chart's values. */
  breakIt(workspace: Workspace, registry: string): Promise<void>;
  /**
   * What the API shows of it, in its own words, once it can be seen; looks at an object of the new
   * version only.
   */
  seenIn(object: ObservedObject): string | undefined;
}

/** The fields of pods and events that tell of a fault. */
export interface ObservedObject extends KubernetesObject {
  readonly status?: {
    readonly containerStatuses?: readonly ContainerStatus[];
  };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
}

interface ContainerStatus {
  readonly name: string;
  readonly restartCount: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly exitCode: number };
  };
}

/**
 * One crash is not a crash loop: programs die once because a database was slower than they were.
 * The second end is one for the quickstart, whose workflow allows one restart; at that moment, or
 * shortly after, the kubelet calls it CrashLoopBackOff too.
 */
const ENDS_OF_A_CRASH_LOOP = 2;

export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  image: {
    name: "image",
    story: "its chart adds a log shipper whose image nobody has pushed",
    message: "Ship the logs from a sidecar",
    breakIt: (workspace, registry) =>
      editValues(workspace, "sidecars: []", sidecarOf(`${registry}/log-shipper:2.0.0`)),
    seenIn: (object) =>
      waiting(object, /^(ErrImagePull|ImagePullBackOff)$/) ??
      warning(object, /Failed to pull image|ErrImagePull/),
  },
  crash: {
    name: "crash",
    story: "its program cannot read its configuration and dies at start",
    message: "Read the feature flags at start",
    breakIt: (workspace) => editValues(workspace, "crashAtStart: false", "crashAtStart: true"),
    seenIn: crashLoop,
  },
  config: {
    name: "config",
    story: "it refers to a ConfigMap that nobody has made",
    message: "Take the limits from a ConfigMap",
    breakIt: (workspace) => editValues(workspace, "missingConfig: false", "missingConfig: true"),
    seenIn: (object) =>
      waiting(object, /^CreateContainerConfigError$/) ?? warning(object, /configmap .* not found/),
  },
};

function sidecarOf(image: string): string {
  return `sidecars:\n  - name: log-shipper\n    image: ${image}`;
}

async function editValues(workspace: Workspace, from: string, to: string): Promise<void> {
  const file = "chart/values.yaml";
  const values = await workspace.read(file);
  if (!values.includes(from)) throw new Error(`${file} no longer holds ${JSON.stringify(from)}`);
  await workspace.write(file, values.replace(from, to));
}

function statuses(object: ObservedObject): readonly ContainerStatus[] {
  return object.kind === "Pod" ? (object.status?.containerStatuses ?? []) : [];
}

function waiting(object: ObservedObject, reasons: RegExp): string | undefined {
  for (const { state } of statuses(object)) {
    const { reason = "", message } = state?.waiting ?? {};
    if (reasons.test(reason)) return message === undefined ? reason : `${reason}: ${message}`;
  }
  return undefined;
}

function warning(object: ObservedObject, words: RegExp): string | undefined {
  const isOne = object.kind === "Event" && object.type === "Warning";
  return isOne && words.test(object.message ?? "") ? object.message : undefined;
}

function crashLoop(object: ObservedObject): string | undefined {
  for (const { name, restartCount, state } of statuses(object)) {
    if (state?.waiting?.reason === "CrashLoopBackOff") return `container ${name}: CrashLoopBackOff`;
    const ends = restartCount + (state?.terminated === undefined ? 0 : 1);
    if (ends >= ENDS_OF_A_CRASH_LOOP) return `container ${name} has ended ${ends} times`;
  }
  return undefined;
}
