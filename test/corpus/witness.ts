import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AnyObject, ClusterEvent, Pod } from "../../shared/kubernetes/workload.ts";
import type { Endpoints } from "../testbed/index.ts";
import type { Seen, Sign } from "./signs.ts";

/** Some signs are made by time alone. */
const LOOK_AGAIN_MS = 200;

const COLLECTIONS = {
  Pod: "api/v1/pods",
  Event: "api/v1/events",
  PersistentVolumeClaim: "api/v1/persistentvolumeclaims",
  Deployment: "apis/apps/v1/deployments",
  ReplicaSet: "apis/apps/v1/replicasets",
  StatefulSet: "apis/apps/v1/statefulsets",
  DaemonSet: "apis/apps/v1/daemonsets",
  Job: "apis/batch/v1/jobs",
};

/**
 * Watches the cluster beside the code under test, by other code than that: kubectl's own way to
 * the API server, and nothing but what it sends. Notes when signs are first to be seen.
 */
export class Witness implements Disposable {
  readonly #proxy: ChildProcess;
  readonly #stop = new AbortController();
  readonly #regards = new Map<string, Regard>();
  readonly #clock: NodeJS.Timeout;

  private constructor(proxy: ChildProcess) {
    this.#proxy = proxy;
    this.#clock = setInterval(() => {
      for (const regard of this.#regards.values()) regard.look(false);
    }, LOOK_AGAIN_MS);
  }

  static async start(endpoints: Endpoints): Promise<Witness> {
    const args = ["--kubeconfig", endpoints.kubeconfig, "proxy", "--port=0"];
    const proxy = spawn(join(endpoints.bin, "kubectl"), args, {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = (await once(proxy.stdout, "data")) as [Buffer];
    const address = /127\.0\.0\.1:\d+/.exec(said.toString())?.[0];
    const witness = new Witness(proxy);
    for (const [kind, path] of Object.entries(COLLECTIONS)) {
      witness.#follow(kind, `http://${address}/${path}`).catch((error: unknown) => {
        if (!witness.#stop.signal.aborted) throw error;
      });
    }
    return witness;
  }

  /** Begins to look at a namespace. */
  regard(namespace: string): Regard {
    const regard = new Regard(() => this.#regards.delete(namespace));
    this.#regards.set(namespace, regard);
    return regard;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#clock);
    this.#stop.abort();
    this.#proxy.kill();
  }

  /** A watch from version 0 begins with all there is; a silent one ends now and then. */
  async #follow(kind: string, url: string): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const answer = await fetch(`${url}?watch=1&resourceVersion=0`, { signal });
      let rest = "";
      for await (const chunk of textOf(answer)) {
        const lines = `${rest}${chunk}`.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.#take(kind, line);
      }
      await sleep(100);
    }
  }

  #take(kind: string, line: string): void {
    if (line.startsWith('{"type":"ERROR"')) throw new Error(`the witness sees no ${kind}: ${line}`);
    // Most of a busy cluster is none of our business: a look at the text is cheap.
    const namespace = /"namespace":"([^"]+)"/.exec(line)?.[1] ?? "";
    const regard = this.#regards.get(namespace);
    if (regard === undefined) return;
    const { type, object } = JSON.parse(line) as { type: string; object: AnyObject };
    regard.take(kind, object, type === "DELETED");
  }
}

/** What comes of a body until it ends or breaks. */
async function* textOf({ body }: Response): AsyncGenerator<string> {
  const stream = body?.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const part = await stream?.read().catch(() => undefined);
    if (part === undefined || part.done) return;
    yield part.value;
  }
}

/** What the witness sees of one namespace. */
export class Regard implements Disposable {
  readonly #objects = new Map<string, Map<string, AnyObject>>();
  readonly #lost = new Set<string>();
  readonly #awaited = new Map<Sign, (at: number) => void>();
  readonly #close: () => void;
  #appliedAt = Date.now();

  constructor(close: () => void) {
    this.#close = close;
  }

  /** The revision in question comes now: what was said of the one before is over. */
  applied(): void {
    this.#appliedAt = Date.now();
    this.#objects.delete("Event");
  }

  get seen(): Seen {
    const of = (kind: string) => [...(this.#objects.get(kind)?.values() ?? [])];
    return {
      pods: of("Pod") as Pod[],
      events: of("Event") as unknown as ClusterEvent[],
      of,
      lost: (kind) => this.#lost.has(kind),
      appliedAt: this.#appliedAt,
    };
  }

  /** When the sign is first to be seen, in milliseconds since the Unix epoch. */
  spot(sign: Sign): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#awaited.set(sign, resolve);
    this.look(false);
    return promise;
  }

  take(kind: string, object: AnyObject, isGone: boolean): void {
    const objects = this.#objects.get(kind) ?? new Map<string, AnyObject>();
    this.#objects.set(kind, objects);
    if (isGone) this.#lost.add(kind);
    if (isGone) objects.delete(object.metadata.name);
    else objects.set(object.metadata.name, object);
    this.look(true);
  }

  /**
   * Looks for the signs that are awaited. What a change brought about is visible from now on, and
   * what time alone did, since the time that the sign gives.
   */
  look(changed: boolean): void {
    for (const [sign, resolve] of this.#awaited) {
      const found = sign(this.seen);
      if (found === false) continue;
      this.#awaited.delete(sign);
      resolve(found === true || changed ? Date.now() : found);
    }
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
