import { UserError } from "../failure/index.ts";
import {
  type Cluster,
  type KubernetesObject,
  nameOf,
  type ObjectRef,
} from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";

/** How often new pods of a hook are looked for: Helm deletes a hook as soon as it has ended. */
const LOOK_MS = 250;
/** Of a hook that talks without end, so many lines are shown while it runs. */
const MOST_LINES = 2_000;
const TAIL = 40;
/** What is still on its way when a hook has ended. */
const LAST_LINES_MS = 1_000;

interface HookPod extends KubernetesObject {
  readonly spec?: { readonly containers?: readonly { readonly name: string }[] };
  readonly status?: {
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly state?: { readonly running?: object; readonly terminated?: object };
    }[];
  };
}

/** What the containers of a hook print. */
export interface HookLog extends AsyncDisposable {
  /** The last lines so far. */
  readonly tail: readonly string[];
}

/**
 * Shows what the containers of a hook print, line by line as it comes, until it is disposed of.
 * Without the right to read logs nothing is shown.
 */
export function followLogsOf(
  cluster: Cluster,
  hook: ObjectRef,
  { clock, log, signal }: Pick<World, "clock" | "log" | "signal">,
): HookLog {
  const over = new AbortController();
  const looking = AbortSignal.any([over.signal, signal]);
  const followed = new Map<string, Promise<void>>();
  const tail: string[] = [];
  let lines = 0;
  const show = (name: string) => (line: string) => {
    lines += 1;
    tail.push(line);
    if (tail.length > TAIL) tail.shift();
    if (lines <= MOST_LINES) log.info(`${name} | ${line}`);
    if (lines === MOST_LINES) log.info(`${name} | (what it prints further is not shown)`);
  };
  const look = async () => {
    try {
      for (;;) {
        for (const pod of await podsOf(cluster.boundTo(looking), hook)) {
          for (const container of startedIn(pod)) {
            const key = `${pod.metadata.uid} ${container}`;
            const place = {
              namespace: pod.metadata.namespace ?? "",
              pod: pod.metadata.name,
              container,
            };
            if (!followed.has(key)) followed.set(key, follow(cluster, place, show(nameOf(hook))));
          }
        }
        await clock.sleep(LOOK_MS, looking);
      }
    } catch (error) {
      if (!looking.aborted && !(error instanceof UserError)) throw error;
    }
  };
  const looked = look();
  return {
    tail,
    async [Symbol.asyncDispose]() {
      over.abort();
      const all = Promise.all([looked, ...followed.values()]);
      await Promise.race([all, clock.sleep(LAST_LINES_MS)]);
    },
  };
}

async function follow(
  cluster: Cluster,
  place: Parameters<Cluster["followLogs"]>[0],
  show: (line: string) => void,
): Promise<void> {
  try {
    for await (const line of cluster.followLogs(place)) show(line);
  } catch (error) {
    // The report of a failure reads the log once more, and says what stands in the way of that.
    if (!(error instanceof UserError) && !(error instanceof Error && error.name === "AbortError")) {
      throw error;
    }
  }
}

async function podsOf(cluster: Cluster, hook: ObjectRef): Promise<readonly HookPod[]> {
  const pods = { apiVersion: "v1", kind: "Pod", namespace: hook.namespace };
  if (hook.kind === "Pod") {
    const pod = await cluster.find<HookPod>({ ...pods, name: hook.name });
    return pod === undefined ? [] : [pod];
  }
  const labelSelector = `batch.kubernetes.io/job-name=${hook.name}`;
  return (await cluster.list<HookPod>({ ...pods, labelSelector })).items;
}

function startedIn({ status }: HookPod): readonly string[] {
  const started = (status?.containerStatuses ?? []).filter(
    ({ state }) => state?.running !== undefined || state?.terminated !== undefined,
  );
  return started.map(({ name }) => name);
}
