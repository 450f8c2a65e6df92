import type { ImageMap } from "../../shared/image-map/index.ts";
import { type Cluster, connect } from "../../shared/kubernetes/index.ts";
import type { Ask, Redact, Target } from "../../shared/probe/index.ts";
import type { World } from "../../shared/world/index.ts";
import { askCommand } from "./ask-command.ts";
import { Attestation, type PodProof } from "./attest.ts";
import type { ExecSpec } from "./check-spec.ts";
import { ClusterTrouble } from "./cluster-trouble.ts";
import { ingressTarget } from "./ingress-target.ts";
import type { Options } from "./inputs.ts";
import type { Plan } from "./plan.ts";
import { ServiceWays } from "./service-target.ts";
import { workloadTarget } from "./workload-target.ts";

/** What checks need of a cluster. This file is loaded only where one of them does. */
export interface ClusterSide {
  /** The namespace of what names none. */
  readonly namespace: string;
  target(plan: Plan, name: string): Target;
  command(spec: ExecSpec, plan: Plan, redact: Redact): Ask;
  attest(
    plan: Plan,
    images: ImageMap | undefined,
  ): (pods: readonly string[]) => Promise<readonly string[]>;
  /** What the pods that answered were found to run. */
  proofs(): readonly PodProof[];
  /** Ends every watch and port-forward. */
  close(): void;
}

/**
 * @throws {UserError} when there are no credentials for a cluster.
 */
export async function openCluster(options: Options, world: World): Promise<ClusterSide> {
  return new Side(await connect(options, world), options.namespace, world);
}

class Side implements ClusterSide {
  readonly namespace: string;
  readonly #cluster: Cluster;
  readonly #world: World;
  readonly #trouble = new ClusterTrouble();
  readonly #ended = new AbortController();
  readonly #services = new Map<string, ServiceWays>();
  readonly #attestation: Attestation;

  constructor(cluster: Cluster, namespace: string | undefined, world: World) {
    this.#world = world;
    this.#cluster = cluster.boundTo(AbortSignal.any([world.signal, this.#ended.signal]));
    this.namespace = namespace ?? cluster.namespace;
    this.#attestation = new Attestation(this.#cluster, this.#trouble);
  }

  target({ spec, to, pods }: Plan, name: string): Target {
    const trouble = this.#trouble;
    if (to.kind === "workload") {
      const workload = { ...to.workload, namespace: this.#namespaceOf(to.workload) };
      return workloadTarget(name, workload, pods, { ...this.#means, trouble });
    }
    if (to.kind === "ingress") {
      const ingress = { ...to.ingress, namespace: this.#namespaceOf(to.ingress) };
      return ingressTarget(name, ingress, this.#cluster, trouble);
    }
    if (to.kind === "url") throw new Error("a URL is not asked through the cluster");
    const service = { ...to.service, namespace: this.#namespaceOf(to.service) };
    const ways = this.#waysOf(service);
    return spec.type === "exec" ? ways.byCommand(name, pods) : ways.byNetwork(name, pods);
  }

  command(spec: ExecSpec, plan: Plan, redact: Redact): Ask {
    const means = {
      cluster: this.#cluster,
      namespace: this.#namespaceOfPlan(plan),
      trouble: this.#trouble,
      redact,
    };
    return (way, timeout, signal) => askCommand(spec, way, { timeout, signal }, means);
  }

  attest(plan: Plan, images: ImageMap | undefined) {
    const expected = { images, digest: plan.spec.digest };
    const namespace = this.#namespaceOfPlan(plan);
    return (pods: readonly string[]) => this.#attestation.look(pods, namespace, expected);
  }

  proofs(): readonly PodProof[] {
    return this.#attestation.proofs;
  }

  close(): void {
    this.#ended.abort();
  }

  get #means() {
    const signal = AbortSignal.any([this.#world.signal, this.#ended.signal]);
    return { cluster: this.#cluster, trouble: this.#trouble, signal, log: this.#world.log };
  }

  #waysOf(service: { namespace: string; name: string; port: string | undefined }): ServiceWays {
    const key = `${service.namespace}/${service.name}:${service.port ?? ""}`;
    const ways = this.#services.get(key) ?? new ServiceWays(service, this.#means);
    this.#services.set(key, ways);
    return ways;
  }

  #namespaceOf({ namespace }: { readonly namespace: string | undefined }): string {
    return namespace ?? this.namespace;
  }

  #namespaceOfPlan({ to }: Plan): string {
    if (to.kind === "url") return this.namespace;
    const named = { service: undefined, ingress: undefined, workload: undefined, ...to };
    return this.#namespaceOf(named.service ?? named.ingress ?? named.workload ?? this);
  }
}
