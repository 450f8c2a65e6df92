import type { Cluster } from "../cluster.ts";
import { endingsOf } from "../verdict/container.ts";
import type { Pod } from "../workload.ts";
import { readLog, tellingLine } from "./evidence.ts";

/**
 * Reads what containers wrote before they ended, once for each ending: the words are part of the
 * cause, and some causes (a program for another processor) show nowhere else.
 */
export class LastWords {
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;
  readonly #onRead: () => void;
  readonly #words = new Map<string, string>();
  readonly #asked = new Map<string, Promise<void>>();
  #open = 0;

  constructor(cluster: Cluster, signal: AbortSignal, onRead: () => void) {
    this.#cluster = cluster;
    this.#signal = signal;
    this.#onRead = onRead;
  }

  of(podUid: string | undefined, container: string): string | undefined {
    return this.#words.get(`${podUid} ${container}`);
  }

  /** Begins to read for every container among these that ended anew. */
  ask(pods: readonly Pod[]): void {
    for (const pod of pods) {
      const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
      for (const status of [...initContainerStatuses, ...containerStatuses]) {
        const { state = {}, lastState = {} } = status;
        const ended = state.terminated ?? lastState.terminated;
        if (ended === undefined || (ended.exitCode === 0 && status.ready)) continue;
        const key = `${pod.metadata.uid} ${status.name} ${endingsOf(status)}`;
        // A workload with a thousand crashing pods tells its story in a few.
        if (this.#asked.has(key) || this.#open >= MOST_AT_ONCE) continue;
        this.#asked.set(key, this.#read(pod, status.name, state.running !== undefined));
      }
    }
  }

  /** Waits until all that was asked for is there. */
  async settled(): Promise<void> {
    await Promise.all(this.#asked.values());
  }

  async #read(pod: Pod, container: string, runsAgain: boolean): Promise<void> {
    this.#open += 1;
    const { namespace = "", name, uid } = pod.metadata;
    const run = runsAgain ? "previous" : "current";
    const tail = await readLog(
      this.#cluster,
      { namespace, pod: name, container },
      run,
      this.#signal,
    );
    this.#open -= 1;
    const words = typeof tail === "string" ? undefined : tellingLine(tail.lines);
    if (words === undefined) return;
    this.#words.set(`${uid} ${container}`, words.slice(0, LONGEST));
    this.#onRead();
  }
}

const MOST_AT_ONCE = 8;
const LONGEST = 300;
