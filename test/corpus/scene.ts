import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ApiError,
  type Cluster,
  type KubernetesObject,
  type ObjectRef,
  parseTarget,
  refOf,
  waitForRollout,
} from "../../shared/kubernetes/index.ts";
import { sandbox, testWorld } from "../cluster/kubernetes/sandbox.ts";
import type { Endpoints } from "../testbed/index.ts";
import type { BrokenCase, HealthyCase, Meanwhile, Place } from "./case.ts";
import { misbehavingRegistry } from "./registry/index.ts";
import { type Regard, Witness } from "./witness.ts";

const FROM_MS = 90_000;

/** What all cases share: a cluster, one who watches it, and a registry that misbehaves. */
export interface Grounds extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly endpoints: Endpoints;
  readonly witness: Witness;
  readonly misbehaving: string;
}

export async function openGrounds(prefix: string): Promise<Grounds> {
  const box = await sandbox(prefix);
  const { cluster, endpoints, namespace } = box;
  const witness = await Witness.start(endpoints);
  const { host } = await misbehavingRegistry(cluster, namespace, endpoints);
  return {
    cluster,
    endpoints,
    witness,
    misbehaving: host,
    async [Symbol.asyncDispose]() {
      witness[Symbol.dispose]();
      await box[Symbol.asyncDispose]();
    },
  };
}

/** One case in a namespace of its own, up to where its revision in question is rolled out. */
export class Scene implements AsyncDisposable {
  readonly place: Place;
  readonly regard: Regard;
  /** The revision in question. */
  readonly objects: readonly KubernetesObject[];
  readonly #grounds: Grounds;
  readonly #case: BrokenCase | HealthyCase;
  readonly #clusterWide: ObjectRef[] = [];
  readonly #labels: string[] = [];
  readonly #over = new AbortController();

  private constructor(grounds: Grounds, one: BrokenCase | HealthyCase) {
    this.#grounds = grounds;
    this.#case = one;
    this.place = placeOf(
      grounds,
      `corpus-${one.name.slice(0, 40)}-${randomBytes(3).toString("hex")}`,
    );
    this.regard = grounds.witness.regard(this.place.namespace);
    this.objects = one.to(this.place);
  }

  /** Makes the namespace with what is there before; `deployFirst` brings the first revision. */
  static async open(grounds: Grounds, one: BrokenCase | HealthyCase): Promise<Scene> {
    const scene = new Scene(grounds, one);
    const { namespace } = scene.place;
    await grounds.cluster.create({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
    // Without its account the namespace takes no pods, which is no part of any case.
    const account = { apiVersion: "v1", kind: "ServiceAccount", namespace, name: "default" };
    while ((await grounds.cluster.find(account)) === undefined) await sleep(50);
    await scene.apply(one.before?.(scene.place) ?? []);
    if (one.beforeShows !== undefined) await scene.regard.spot(one.beforeShows);
    const refused = one.refusedFirst?.(scene.place);
    while (refused !== undefined && (await isAccepted(grounds.cluster, refused))) await sleep(50);
    return scene;
  }

  /** The revision that runs well before, if the case has one. */
  get first(): readonly KubernetesObject[] {
    return this.#case.from?.(this.place) ?? [];
  }

  get targets(): readonly ObjectRef[] {
    return this.#case.awaits.map((name) => parseTarget(name, this.place.namespace));
  }

  /** Brings the first revision up as kubectl users do. */
  async deployFirst(): Promise<void> {
    if (this.first.length === 0) return;
    await this.apply(this.first);
    const options = { deadline: Date.now() + FROM_MS, world: testWorld().world };
    const report = await waitForRollout(this.#grounds.cluster, this.targets, options);
    if (report.verdict === "ready") return;
    throw new Error(`${this.#case.name}: the first revision: ${report.cause?.message}`);
  }

  /** From here on the revision in question is rolled out: what else happens, happens now. */
  begin(): void {
    this.regard.applied();
    this.#case.meanwhile?.(this.#meanwhile()).catch((error: unknown) => {
      if (!this.#over.signal.aborted) throw error;
    });
  }

  async apply(objects: readonly KubernetesObject[]): Promise<void> {
    for (const object of objects) {
      if (object.metadata.namespace === undefined && object.kind !== "Namespace")
        this.#clusterWide.push(refOf(object));
      await this.#grounds.cluster.apply(object, { fieldManager: "corpus", force: true });
    }
  }

  #meanwhile(): Meanwhile {
    const { cluster } = this.#grounds;
    const { signal } = this.#over;
    const ref = (resource: string) => parseTarget(resource, this.place.namespace);
    return {
      place: this.place,
      sees: async (sign) => {
        await this.regard.spot(sign);
        signal.throwIfAborted();
      },
      pause: (seconds) => sleep(seconds * 1_000, undefined, { signal }),
      apply: (objects) => this.apply(objects),
      patch: async (resource, change) => void (await cluster.patch(ref(resource), change)),
      delete: (resource) => cluster.delete(ref(resource)),
      patchPods: async (change) => {
        for (const pod of this.regard.seen.pods) await cluster.patch(refOf(pod), change);
      },
      deletePod: async () => {
        const [pod] = this.regard.seen.pods;
        if (pod !== undefined) await cluster.delete(refOf(pod));
      },
      labelNodes: async (label) => {
        this.#labels.push(label);
        await this.#label(label, "true");
      },
    };
  }

  async #label(label: string, value: string | null): Promise<void> {
    const { cluster } = this.#grounds;
    const { items } = await cluster.list({ apiVersion: "v1", kind: "Node" });
    for (const node of items)
      await cluster.patch(refOf(node), { metadata: { labels: { [label]: value } } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.regard[Symbol.dispose]();
    const { cluster } = this.#grounds;
    const namespace = { apiVersion: "v1", kind: "Namespace", name: this.place.namespace };
    for (const label of this.#labels) await this.#label(label, null);
    for (const ref of [namespace, ...this.#clusterWide]) await cluster.delete(ref);
  }
}

function placeOf({ endpoints, misbehaving }: Grounds, namespace: string): Place {
  const { busyboxImage, registry } = endpoints;
  const path = busyboxImage.replace(`${registry}/`, "");
  return {
    namespace,
    image: busyboxImage,
    registry,
    misbehaving: (conduct) => `${misbehaving}/${conduct}/${path}`,
  };
}

async function isAccepted(cluster: Cluster, object: KubernetesObject): Promise<boolean> {
  try {
    await cluster.create(object, { dryRun: true });
    return true;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}
