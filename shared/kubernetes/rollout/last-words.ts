import type { Cluster } from "../cluster.ts";
import { endingsOf } from "../verdict/container.ts";
import type { ContainerStatus, Pod } from "../workload.ts";
import { readLog, tellingLine } from "./evidence.ts";

/** A workload with a thousand crashing pods tells its story in a few. */
const MOST_AT_ONCE = 8;
const MOST_OF_ONE = 3;
const LONGEST = 300;

/**
 * Reads what containers wrote before they ended, once for each ending: the words are part of the
 * cause, and some causes (a program for another processor) show nowhere else.
 */
export class LastWords {
  readonly #cluster: Cluster;
  readonly #onRead: (podUid: string) => void;
  readonly #words = new Map<string, string>();
  readonly #asked = new Map<string, Promise<void>>();
  #open = 0;

  /** @param onRead called with the uid of a pod of which something was read. */
  constructor(cluster: Cluster, onRead: (podUid: string) => void) {
    this.#cluster = cluster;
    this.#onRead = onRead;
  }

  of(podUid: string | undefined, container: string): string | undefined {
    return this.#words.get(`${podUid} ${container}`);
  }

  /** Begins to read for the containers among these pods of one workload that ended anew. */
  ask(pods: readonly Pod[]): void {
    let asked = 0;
    for (const pod of pods) {
      const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
      for (const status of [...initContainerStatuses, ...containerStatuses]) {
        if (asked >= MOST_OF_ONE) return;
        if (!hasEnded(status)) continue;
        asked += 1;
        this.#askOnce(pod, status);
      }
    }
  }

  /** Waits until all that was asked for is there. */
  async settled(): Promise<void> {
    await Promise.all(this.#asked.values());
  }

  #askOnce(pod: Pod, status: ContainerStatus): void {
    const key = `${pod.metadata.uid} ${status.name} ${endingsOf(status)}`;
    if (this.#asked.has(key) || this.#open >= MOST_AT_ONCE) return;
    this.#asked.set(key, this.#read(pod, status.name, status.state?.running !== undefined));
  }

  async #read(pod: Pod, container: string, runsAgain: boolean): Promise<void> {
    this.#open += 1;
    const { namespace = "", name, uid = "" } = pod.metadata;
    const run = runsAgain ? "previous" : "current";
    const tail = await readLog(this.#cluster, { namespace, pod: name, container }, run);
    this.#open -= 1;
    const words = typeof tail === "string" ? undefined : tellingLine(tail.lines);
    if (words === undefined) return;
    this.#words.set(`${uid} ${container}`, words.slice(0, LONGEST));
    this.#onRead(uid);
  }
}

function hasEnded({ state = {}, lastState = {}, ready }: ContainerStatus): boolean {
  const ended = state.terminated ?? lastState.terminated;
  return ended !== undefined && !(ended.exitCode === 0 && ready);
}
