import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../shared/failure/index.ts";
import type { Cluster, KubernetesObject } from "../shared/kubernetes/index.ts";

const NAME = "client";
const PER_SECOND = 25;
const PATIENCE_MS = 3_000;
const START_MS = 60_000;

/** What the client had seen at a moment, since its start. */
export interface Tally {
  /** Milliseconds since the Unix epoch, by the clock of the client's node. */
  readonly at: number;
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  /** The slowest answer since the tally before. */
  readonly slowestMs: number;
  /** Answers by the version that gave them. */
  readonly versions: Readonly<Record<string, number>>;
  /** Why the first ones failed. */
  readonly failures: readonly string[];
}

/** A pod that asks a Service all the time and counts what comes back. */
export class Traffic implements AsyncDisposable {
  static readonly perSecond = PER_SECOND;
  readonly #cluster: Cluster;
  readonly #namespace: string;

  private constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  /** Starts the client from an image with Node 24, and waits for its first answers. */
  static async start(
    cluster: Cluster,
    where: { readonly namespace: string; readonly service: string; readonly image: string },
    signal: AbortSignal,
  ): Promise<Traffic> {
    const traffic = new Traffic(cluster, where.namespace);
    await traffic.#remove(signal);
    await cluster.boundTo(signal).create(await podOf(where));
    const deadline = performance.now() + START_MS;
    while (((await traffic.#lastTally(signal))?.answered ?? 0) === 0) {
      if (performance.now() > deadline) throw await traffic.#notAnswering(signal);
      await sleep(200, undefined, { signal });
    }
    return traffic;
  }

  /** All it has told, once every request that was sent by now has come to an end. */
  async tallies(signal: AbortSignal): Promise<readonly Tally[]> {
    const sent = (await this.#lastTally(signal))?.sent ?? 0;
    for (;;) {
      const tallies = readTallies(await this.#log(signal));
      const last = tallies.at(-1);
      if (last !== undefined && last.answered + last.failed >= sent) return tallies;
      await sleep(250, undefined, { signal });
    }
  }

  /** Takes the client away; also when the demo was interrupted. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove(AbortSignal.timeout(5_000));
  }

  async #lastTally(signal: AbortSignal): Promise<Tally | undefined> {
    return readTallies(await this.#log(signal, 1)).at(-1);
  }

  /** Empty as long as the container has not started. */
  async #log(signal: AbortSignal, tailLines?: number): Promise<string> {
    const options = { namespace: this.#namespace, pod: NAME, ...(tailLines && { tailLines }) };
    return this.#cluster
      .boundTo(signal)
      .logs(options)
      .catch(() => {
        signal.throwIfAborted();
        return "";
      });
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const cluster = this.#cluster.boundTo(signal);
    const ref = { apiVersion: "v1", kind: "Pod", namespace: this.#namespace, name: NAME };
    await cluster.delete(ref);
    while ((await cluster.find(ref)) !== undefined) await sleep(100, undefined, { signal });
  }

  async #notAnswering(signal: AbortSignal): Promise<UserError> {
    const last = await this.#lastTally(signal);
    return new UserError({
      title: "The client in the cluster gets no answers",
      cause:
        last === undefined
          ? `The pod ${NAME} in namespace ${this.#namespace} did not start within ${START_MS / 1_000} s.`
          : `All ${last.failed} requests failed, the first with: ${last.failures[0]}.`,
      remedy: `Look at it: kubectl --namespace ${this.#namespace} describe pod ${NAME}`,
    });
  }
}

/** Reads the client's log, leaving out what is not one of its lines. */
export function readTallies(log: string): Tally[] {
  return log.split("\n").flatMap((line) => {
    try {
      return line.startsWith("{") ? [JSON.parse(line) as Tally] : [];
    } catch {
      // The last line may still be on its way.
      return [];
    }
  });
}

async function podOf(where: {
  readonly namespace: string;
  readonly service: string;
  readonly image: string;
}): Promise<KubernetesObject> {
  const program = await readFile(new URL("./asker.ts", import.meta.url), "utf8");
  const environment = {
    TARGET: `http://${where.service}.${where.namespace}.svc/`,
    PER_SECOND,
    PATIENCE_MS,
  };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: NAME, namespace: where.namespace, labels: { app: NAME } },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          name: "client",
          image: where.image,
          command: ["node", "--input-type=module-typescript", "--eval", program],
          env: Object.entries(environment).map(([name, value]) => ({ name, value: `${value}` })),
          resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "192Mi" } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    },
  };
  return pod;
}
