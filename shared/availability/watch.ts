import { UserError } from "../failure/index.ts";
import { type Cluster, follow, isForbidden, type KubernetesObject } from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";
import { type EndpointSlice, readyIn, SERVICE_NAME } from "./endpoints.ts";
import type { Reading } from "./lapses.ts";
import type { Minimum } from "./minimum.ts";
import { type AvailabilityReport, type BlindTime, reportOf, type Watched } from "./report.ts";
import {
  budgets,
  type DisruptionBudget,
  type Labels,
  requirementOf,
  selects,
} from "./requirement.ts";

export interface AvailabilityOptions {
  /** What the user wants; the pods' PodDisruptionBudgets tell where it is left out. */
  readonly minimum?: Minimum | undefined;
  /** Endpoints that are missing at the beginning count as a harm too, as before a rollback. */
  readonly alreadyHurt?: boolean;
  readonly world: Pick<World, "clock">;
}

/** The pods of a workload, whose users may be hurt. */
export interface Served {
  readonly namespace: string;
  /** The labels of its pod template. */
  readonly labels: Labels;
}

interface Service extends KubernetesObject {
  readonly spec?: { readonly selector?: Labels; readonly type?: string };
}

/**
 * Begins to count the ready endpoints of every Service in front of the given pods, so that `end`
 * can tell whether users were hurt in between. Resolves when the count at the beginning is known.
 * Reads Services, EndpointSlices and PodDisruptionBudgets; what may not be read is told in the
 * report as not known, and nothing is thrown for it.
 */
export async function watchAvailability(
  cluster: Cluster,
  served: readonly Served[],
  options: AvailabilityOptions,
): Promise<AvailabilityWatch> {
  const namespaces = [...new Set(served.map(({ namespace }) => namespace))];
  const watches = await Promise.all(
    namespaces.map((namespace) => {
      const labels = served.filter((one) => one.namespace === namespace).map((one) => one.labels);
      return NamespaceWatch.begin(cluster, namespace, labels, options);
    }),
  );
  return new AvailabilityWatch(watches, options.world);
}

export class AvailabilityWatch implements Disposable {
  readonly #namespaces: readonly NamespaceWatch[];
  readonly #clock: World["clock"];

  constructor(namespaces: readonly NamespaceWatch[], { clock }: Pick<World, "clock">) {
    this.#namespaces = namespaces;
    this.#clock = clock;
  }

  /** What was seen so far. */
  report(): AvailabilityReport {
    const watched = this.#namespaces.flatMap((one) => one.watched);
    const blind = this.#namespaces.flatMap((one) => one.blind);
    const notes = this.#namespaces.flatMap((one) => one.notes);
    return reportOf(watched, blind, notes, this.#clock.now());
  }

  /** What was seen from the beginning to now; ends the watch. */
  end(): AvailabilityReport {
    const report = this.report();
    this[Symbol.dispose]();
    return report;
  }

  [Symbol.dispose](): void {
    for (const one of this.#namespaces) one.stop();
  }
}

/** The endpoints of one namespace. */
class NamespaceWatch {
  readonly #namespace: string;
  readonly #clock: World["clock"];
  readonly #over = new AbortController();
  readonly #slices = new Map<string, EndpointSlice>();
  readonly #readings = new Map<string, Reading[]>();
  readonly #requirements = new Map<string, Omit<Watched, "readings">>();
  #blind: BlindTime[] = [];
  readonly notes: string[] = [];

  private constructor(namespace: string, clock: World["clock"]) {
    this.#namespace = namespace;
    this.#clock = clock;
  }

  static async begin(
    cluster: Cluster,
    namespace: string,
    labels: readonly Labels[],
    { minimum, alreadyHurt, world }: AvailabilityOptions,
  ): Promise<NamespaceWatch> {
    const watch = new NamespaceWatch(namespace, world.clock);
    const services = await watch.#servicesOf(cluster, labels);
    if (services.length === 0) return watch;
    for (const { metadata } of services) watch.#readings.set(metadata.name, []);
    const [found] = await Promise.all([watch.#budgets(cluster), watch.#follow(cluster)]);
    for (const { metadata, spec } of services) {
      const pods = labels.filter((one) => selects(spec?.selector ?? {}, one));
      const of = found.filter((budget) => pods.some((one) => budgets(budget, one)));
      const before = watch.#readings.get(metadata.name)?.[0]?.ready ?? 0;
      const requirement = requirementOf(minimum, of, before);
      const service = { service: metadata.name, namespace, alreadyHurt, ...requirement };
      watch.#requirements.set(metadata.name, service);
    }
    return watch;
  }

  get watched(): readonly Watched[] {
    return [...this.#requirements.values()].map((one) => ({
      ...one,
      readings: this.#readings.get(one.service) ?? [],
    }));
  }

  get blind(): readonly BlindTime[] {
    return this.#blind;
  }

  stop(): void {
    this.#over.abort();
  }

  async #servicesOf(cluster: Cluster, labels: readonly Labels[]): Promise<readonly Service[]> {
    const items = await this.#list<Service>(cluster, { apiVersion: "v1", kind: "Service" });
    return items.filter(({ spec = {} }) => {
      const selector = spec.selector ?? {};
      const chooses = Object.keys(selector).length > 0 && spec.type !== "ExternalName";
      return chooses && labels.some((one) => selects(selector, one));
    });
  }

  async #budgets(cluster: Cluster): Promise<readonly DisruptionBudget[]> {
    const kind = { apiVersion: "policy/v1", kind: "PodDisruptionBudget" };
    return this.#list<DisruptionBudget>(cluster, kind);
  }

  /** Resolves after the first list; goes on in the background. */
  async #follow(cluster: Cluster): Promise<void> {
    const began = Promise.withResolvers<void>();
    const collection = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      namespace: this.#namespace,
    };
    const following = follow<EndpointSlice>(
      cluster,
      collection,
      {
        replaced: (slices) => {
          this.#slices.clear();
          for (const slice of slices) this.#slices.set(slice.metadata.name, slice);
          for (const service of this.#readings.keys()) this.#read(service);
          began.resolve();
        },
        changed: (slice) => {
          this.#slices.set(slice.metadata.name, slice);
          this.#read(slice.metadata.labels?.[SERVICE_NAME]);
        },
        deleted: (slice) => {
          this.#slices.delete(slice.metadata.name);
          this.#read(slice.metadata.labels?.[SERVICE_NAME]);
        },
        lost: () => {
          this.#blind = [...this.#blind, { from: this.#clock.now(), to: undefined }];
        },
        found: () => this.#seeAgain(),
      },
      this.#over.signal,
    );
    const whole = following.then(
      () => this.#seeAgain(),
      (error: unknown) => {
        this.#blind = [...this.#blind, { from: this.#clock.now(), to: undefined }];
        this.#note(error);
      },
    );
    await Promise.race([began.promise, whole]);
  }

  /** Writes down how many endpoints of a Service are ready now. */
  #read(service: string | undefined): void {
    const readings = this.#readings.get(service ?? "");
    if (readings === undefined) return;
    const slices = [...this.#slices.values()].filter(
      ({ metadata }) => metadata.labels?.[SERVICE_NAME] === service,
    );
    const ready = readyIn(slices);
    if (readings.at(-1)?.ready !== ready) readings.push({ at: this.#clock.now(), ready });
  }

  #seeAgain(): void {
    const now = this.#clock.now();
    this.#blind = this.#blind.map(({ from, to }) => ({ from, to: to ?? now }));
  }

  async #list<T extends KubernetesObject>(
    cluster: Cluster,
    kind: Pick<KubernetesObject, "apiVersion" | "kind">,
  ): Promise<readonly T[]> {
    try {
      return (await cluster.list<T>({ ...kind, namespace: this.#namespace })).items;
    } catch (error) {
      this.#note(error);
      return [];
    }
  }

  /** What cannot be read is told, not thrown: a deployment does not depend on it. */
  #note(error: unknown): void {
    if (!(error instanceof UserError)) throw error;
    this.notes.push(isForbidden(error) ? error.cause : `not read: ${error.cause}`);
  }
}
