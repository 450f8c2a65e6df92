import type { KubernetesObject, ObjectRef } from "../../../shared/kubernetes/index.ts";
import {
  bundleOf,
  type Runner,
  type Running,
  runStep,
  type Step,
  startStep,
} from "../../runner/index.ts";
import { deployment, type Sandbox, sandbox } from "../kubernetes/sandbox.ts";
import {
  type ServiceImage,
  type ServiceParts,
  serviceImage,
} from "../workload-images/service-image.ts";

type Inputs = Readonly<Record<string, string>>;
type Environment = Readonly<Record<string, string>>;

export interface Template {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly image: string }[];
    readonly initContainers?: readonly { readonly name: string; readonly image: string }[];
  };
}

export type Live = KubernetesObject & {
  readonly spec: {
    readonly template: Template;
    readonly jobTemplate?: { readonly spec: { readonly template: Template } };
  };
};

/** A namespace with workloads that run, and runs of apply-manifests in it. */
export class Harbour implements AsyncDisposable {
  readonly box: Sandbox;

  private constructor(box: Sandbox) {
    this.box = box;
  }

  static async open(prefix: string): Promise<Harbour> {
    return new Harbour(await sandbox(prefix));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.box[Symbol.asyncDispose]();
  }

  get namespace(): string {
    return this.box.namespace;
  }

  /** Pushes an image of a service. */
  async image(service: string, tag: string, parts?: ServiceParts): Promise<ServiceImage> {
    return serviceImage(this.box.endpoints, `${this.namespace}/${service}`, tag, parts);
  }

  /** A Deployment of a service that runs an image; its container is called as it is. */
  deployment(
    name: string,
    { repository, tag }: ServiceImage,
    parts: object = {},
    pod: object = {},
  ) {
    const container = { name, image: `${repository}:${tag}`, command: undefined, ...parts };
    return deployment(this.box, name, { container, pod });
  }

  async create(...objects: readonly object[]): Promise<void> {
    await Promise.all(objects.map((object) => this.box.cluster.create(object as KubernetesObject)));
  }

  ref(kind: string, name: string): ObjectRef {
    const apiVersion =
      { CronJob: "batch/v1", Secret: "v1", ConfigMap: "v1", Service: "v1" }[kind] ?? "apps/v1";
    return { apiVersion, kind, namespace: this.namespace, name };
  }

  async live(kind: string, name: string): Promise<Live> {
    return this.box.cluster.get<Live>(this.ref(kind, name));
  }

  /** The images of a workload's containers, init containers first, by their names. */
  async images(kind: string, name: string): Promise<Readonly<Record<string, string>>> {
    const { spec } = await this.live(kind, name);
    const { containers, initContainers = [] } = (spec.jobTemplate?.spec ?? spec).template.spec;
    return Object.fromEntries(
      [...initContainers, ...containers].map((one) => [one.name, one.image]),
    );
  }

  async generation(kind: string, name: string): Promise<number | undefined> {
    return (await this.live(kind, name)).metadata.generation;
  }

  /** Runs the action to its end. */
  async deploy(inputs: Inputs, environment: Environment = {}, runner?: Runner): Promise<Step> {
    return runStep(bundleOf("apply-manifests"), this.#setting(inputs, environment, runner));
  }

  /** Starts the action. */
  async start(inputs: Inputs, environment: Environment = {}): Promise<Running> {
    return startStep(bundleOf("apply-manifests"), this.#setting(inputs, environment));
  }

  #setting(inputs: Inputs, environment: Environment, runner?: Runner) {
    const { kubeconfig } = this.box.endpoints;
    const given = { namespace: this.namespace, kubeconfig, timeout: "60s", ...inputs };
    return { inputs: given, environment: { ...environment }, runner };
  }
}

/** The verdict of a run; all that it said where it is not the expected one. */
export function verdictOf({ stdout, stderr, outputs }: Step, expected: string): string {
  if (outputs.verdict === expected) return expected;
  return `${stdout}\n${stderr}\n${JSON.stringify(outputs, undefined, 1).slice(0, 3_000)}`;
}

/** The digest map of services, as build-push puts it out. */
export function mapOf(images: Readonly<Record<string, ServiceImage>>): string {
  return JSON.stringify(images);
}

/** What a container is set to. */
export function pinned({ repository, tag, digest }: ServiceImage): string {
  return `${repository}:${tag}@${digest}`;
}
