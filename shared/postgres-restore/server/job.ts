import { randomBytes } from "node:crypto";
import { pipeline, Transform } from "node:stream";
import { describe, UserError } from "../../failure/index.ts";
import type { Safeguard } from "../../isolation/index.ts";
import type { Cluster, KubernetesObject } from "../../kubernetes/index.ts";
import { type Place, podPlace } from "../../place/index.ts";
import { bytesInWords } from "../../quantity/index.ts";
import type { World } from "../../world/index.ts";
import { runAt } from "../staging.ts";
import type { Staging } from "../target.ts";
import { startAt } from "./at-place.ts";
import { showLife } from "./job-life.ts";
import { CONTAINER, DATA, jobOf, policyOf, SOCKET } from "./job-manifest.ts";
import { checkRights } from "./job-rights.ts";
import { awaitPod, endOf } from "./job-watch.ts";
import type { ServerSettings, StartedServer } from "./settings.ts";

const MIB = 1024 * 1024;
const DEFAULT_MEMORY = 2048 * MIB;
const DEFAULT_TIME_MS = 6 * 3_600_000;
/** Our own limit of time is to come first: it says what it was at. */
const TIME_BESIDE_S = 900;
const REMOVE_DEADLINE_MS = 30_000;
const LOOK_AGAIN_MS = 200;
const TOLD_EVERY_MS = 15_000;
/** What broke a connection shows a little later. */
const SETTLING_MS = 2_500;
/** What a volume keeps free, so that the server ends by our limit and not by its own panic. */
const LEAST_FREE = 32 * MIB;

/**
 * Starts a server as a Job in the cluster, with a volume of its own: as a user without rights, on a
 * file system that cannot be written, cut off from the network where the cluster's plugin heeds
 * network policies. It is removed at the end, and ends by itself where nobody is left to do that.
 *
 * @throws {UserError} where it may not be made, its pod does not run, or the server does not start.
 */
export async function startInJob(settings: ServerSettings, world: World): Promise<StartedServer> {
  const { connect } = await import("../../kubernetes/index.ts");
  const { kubeconfig, context, namespace: wanted } = settings.cluster ?? {};
  const cluster = await connect({ kubeconfig, context }, world);
  const namespace = wanted ?? cluster.namespace;
  await checkRights(cluster, namespace);
  const job = new ServerJob(cluster, namespace, settings, world);
  try {
    return await job.start();
  } catch (error) {
    await job.remove();
    throw error;
  }
}

class ServerJob {
  readonly #cluster: Cluster;
  readonly #settings: ServerSettings;
  readonly #world: World;
  readonly #namespace: string;
  readonly #name = `seaworthy-restore-${randomBytes(4).toString("hex")}`;
  readonly #image: string;
  readonly #memory: number;
  #made = false;

  constructor(cluster: Cluster, namespace: string, settings: ServerSettings, world: World) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#settings = settings;
    this.#world = world;
    this.#image = settings.image ?? `postgres:${settings.major ?? 17}`;
    this.#memory = settings.memory ?? DEFAULT_MEMORY;
  }

  get #ref() {
    const { apiVersion, kind } = { apiVersion: "batch/v1", kind: "Job" };
    return { apiVersion, kind, namespace: this.#namespace, name: this.#name };
  }

  async start(): Promise<StartedServer> {
    const { log, secrets } = this.#world;
    log.info(`Starting a throw-away server as Job ${this.#namespace}/${this.#name}.`);
    await this.#make();
    const pod = await awaitPod(this.#cluster, this.#ref, this.#world);
    const where = { namespace: this.#namespace, pod, container: CONTAINER };
    const place = podPlace(this.#cluster, where, secrets);
    const { cluster: { volumeSize } = {}, free } = this.#settings;
    const least = free ?? (volumeSize === undefined ? 256 * MIB : LEAST_FREE);
    try {
      const life = await showLife(place, { beside: SOCKET, data: DATA, least }, this.#world);
      const housing = {
        ...{ place, folder: DATA, socket: SOCKET, memory: this.#memory, signal: life.signal },
        where: `in a Job of ${this.#image} in namespace ${this.#namespace}`,
        safeguards: this.#safeguards(),
        safeguarding: async (psql: string) => [await networkOf(place, psql, this.#world)],
        end: () => endOf(this.#cluster, this.#ref, this.#world),
        dispose: async () => {
          life[Symbol.dispose]();
          await this.remove();
        },
      };
      const started = await startAt(housing, this.#settings, this.#world);
      const staging = told(started.staging, pod, this.#world);
      return { ...started, staging, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() };
    } catch (error) {
      this.#world.signal.throwIfAborted();
      throw await this.#betterThan(error);
    }
  }

  /** What became of the pod says more than that a connection to it broke. */
  async #betterThan(error: unknown): Promise<unknown> {
    const end = await endOf(this.#cluster, this.#ref, this.#world, SETTLING_MS).catch(() => {});
    const evidence = error instanceof UserError ? (error.evidence ?? "") : "";
    const killed = /signal 9|\bKilled\b/.test(evidence);
    if (!end && !killed) return error;
    const memory = bytesInWords(this.#memory);
    return new UserError(
      {
        title: "The throw-away server did not start",
        cause: end?.message ?? `A program was killed: ${memory} of memory are too little.`,
        remedy: "Give it what it lacks: `memory`, `volume-size`, or another `image`.",
        evidence: `${describe(error)}\n${evidence}`.trim(),
      },
      { reason: error },
    );
  }

  async #make(): Promise<void> {
    const { time = DEFAULT_TIME_MS, cluster: { volumeSize, volumeClass } = {} } = this.#settings;
    if (volumeSize === undefined && volumeClass !== undefined) {
      throw new UserError({
        title: "A volume without a size",
        cause: `\`volume-class\` is ${volumeClass}, and \`volume-size\` is not given.`,
        remedy: "Give `volume-size`, such as 50Gi: three times the size of the database is enough.",
      });
    }
    if (volumeSize !== undefined) await this.#checkClass(volumeClass);
    const volume =
      volumeSize === undefined ? undefined : { size: volumeSize, storageClass: volumeClass };
    const parts = { namespace: this.#namespace, name: this.#name, image: this.#image };
    const life = Math.ceil(time / 1_000) + TIME_BESIDE_S;
    this.#made = true;
    const job = await this.#create(jobOf({ ...parts, memory: this.#memory, life, volume }));
    // Its pod does nothing yet: what is restored comes later than the policy.
    await this.#cluster.create<KubernetesObject>(policyOf(job));
  }

  async #create(job: KubernetesObject): Promise<KubernetesObject> {
    try {
      return await this.#cluster.create(job);
    } catch (error) {
      const { isNotFound, missingNamespace } = await import("../../kubernetes/index.ts");
      const missing = isNotFound(error)
        ? await missingNamespace(this.#cluster, this.#namespace)
        : undefined;
      if (missing === undefined) throw error;
      throw new UserError({
        title: "No namespace for the throw-away server",
        cause: `The ${missing}.`,
        remedy: "Name one that exists in `namespace`.",
      });
    }
  }

  /** A class that is not there is waited for by the cluster for ever. */
  async #checkClass(wanted: string | undefined): Promise<void> {
    const kind = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" };
    // Classes are the whole cluster's: not everybody may see them.
    const classes = await this.#cluster.list(kind).catch(() => undefined);
    if (classes === undefined) return;
    const isDefault = ({ metadata }: KubernetesObject) =>
      metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true";
    const names = classes.items.map(({ metadata }) => metadata.name);
    if (wanted === undefined ? classes.items.some(isDefault) : names.includes(wanted)) return;
    throw new UserError({
      title: "No such storage class",
      cause:
        wanted === undefined
          ? "The cluster has no default storage class, so a volume of `volume-size` would never come."
          : `The cluster has no storage class ${wanted}, so the volume would never come.`,
      remedy: `Name one in \`volume-class\`: ${names.join(", ") || "there is none; leave `volume-size` out to use the node's own disk"}.`,
    });
  }

  #safeguards(): readonly Safeguard[] {
    const had = true;
    return [
      { name: "an unprivileged user", had, detail: "user 999, no capabilities, no account" },
      { name: "no way to privileges", had, detail: "allowPrivilegeEscalation: false, seccomp" },
      { name: "a limit on memory", had, detail: "of the container" },
    ];
  }

  /** Removes the Job with all that belongs to it, and waits until it is gone. */
  async remove(): Promise<void> {
    if (!this.#made) return;
    this.#made = false;
    const { signal, aftermath, log } = this.#world;
    const until = signal.aborted ? aftermath : AbortSignal.timeout(REMOVE_DEADLINE_MS);
    const cluster = this.#cluster.boundTo(until);
    let asked = false;
    try {
      await cluster.delete(this.#ref, { propagation: "Foreground" });
      asked = true;
      while ((await cluster.find(this.#ref)) !== undefined) {
        await this.#world.clock.sleep(LOOK_AGAIN_MS, until);
      }
    } catch (error) {
      const name = `Job ${this.#namespace}/${this.#name}`;
      log.warning(
        asked
          ? `${name} is being deleted; its pod and volume were not gone yet.`
          : `${name} could not be deleted: ${describe(error)} It ends by itself within 2 min and is then removed by the cluster.`,
        "A throw-away server was left",
      );
    }
  }
}

/** Tells how far a long file has come. */
function told(staging: Staging, pod: string, { log }: World): Staging {
  return {
    path: (name) => staging.path(name),
    write(name, content, signal) {
      let bytes = 0;
      let next = Date.now() + TOLD_EVERY_MS;
      const counted = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          if (Date.now() >= next) {
            next = Date.now() + TOLD_EVERY_MS;
            log.info(`${bytesInWords(bytes)} of ${name} are on the volume of pod ${pod}.`);
          }
          done(null, chunk);
        },
      });
      pipeline(content, counted, () => {});
      return staging.write(name, counted, signal);
    },
  };
}

/** Whether the pod is cut off from the network is tried, for not every plugin heeds policies. */
async function networkOf(place: Place, psql: string, world: World): Promise<Safeguard> {
  const script = `[ -n "$KUBERNETES_SERVICE_HOST" ] || { echo unknown; exit 0; }
"$1" "host=$KUBERNETES_SERVICE_HOST port=\${KUBERNETES_SERVICE_PORT:-443} connect_timeout=3 sslmode=disable" -c '' 2>&1
true`;
  const said = await runAt(place, ["sh", "-c", script, "sh", psql], world.signal).catch(describe);
  const name = "no network";
  if (/timeout expired|unreachable|not permitted|Connection refused/i.test(said)) {
    return { name, had: true, detail: "a NetworkPolicy, and it was tried" };
  }
  return {
    name,
    had: false,
    detail: said.startsWith("unknown")
      ? "there is a NetworkPolicy that denies all, and whether the cluster heeds it could not be tried"
      : "there is a NetworkPolicy that denies all, and the cluster's network plugin does not heed it; the server listens on no address, only on a socket",
  };
}
