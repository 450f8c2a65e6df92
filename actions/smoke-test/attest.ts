import type { ImageMap } from "../../shared/image-map/index.ts";
import type { Cluster } from "../../shared/kubernetes/index.ts";
import { type ContainerImage, imagesOf, type RunningPod } from "../../shared/workload/index.ts";
import type { ClusterTrouble } from "./cluster-trouble.ts";

/** What an answering pod was found to run. */
export interface PodProof {
  readonly pod: string;
  readonly namespace: string;
  /** `proved` when each expected image runs there, `not-checked` when none is expected there. */
  readonly verdict: "proved" | "wrong" | "not-checked";
  readonly images: readonly ContainerImage[];
}

/** What is expected of the images of answering pods. */
export interface Expected {
  readonly images: ImageMap | undefined;
  /** One of the containers must run it. */
  readonly digest: string | undefined;
}

/** Looks at the pods that answered, and remembers what was last seen of each. */
export class Attestation {
  readonly #proofs = new Map<string, PodProof>();
  readonly #cluster: Cluster;
  readonly #trouble: ClusterTrouble;

  constructor(cluster: Cluster, trouble: ClusterTrouble) {
    this.#cluster = cluster;
    this.#trouble = trouble;
  }

  get proofs(): readonly PodProof[] {
    return [...this.#proofs.values()];
  }

  /** What is wrong with the images of these pods, as phrases. */
  async look(
    pods: readonly string[],
    namespace: string,
    expected: Expected,
  ): Promise<readonly string[]> {
    const all = await Promise.all(pods.map((pod) => this.#lookAt(pod, namespace, expected)));
    return all.flat();
  }

  async #lookAt(name: string, namespace: string, expected: Expected): Promise<readonly string[]> {
    const ref = { apiVersion: "v1", kind: "Pod", namespace, name };
    const pod = await this.#trouble.around(() => this.#cluster.find<RunningPod>(ref));
    if (pod === undefined) {
      return [`pod ${name} answered, which namespace ${namespace} does not have (any more)`];
    }
    const images = imagesOf(pod);
    const { verdict, reasons } = judgeImages(images, expected);
    this.#proofs.set(`${namespace}/${name}`, { pod: name, namespace, verdict, images });
    return reasons.map((reason) => `pod ${name} answered, whose ${reason}`);
  }
}

/** Holds what a pod runs to what is expected of it. */
export function judgeImages(
  images: readonly ContainerImage[],
  { images: map = {}, digest }: Expected,
): { readonly verdict: PodProof["verdict"]; readonly reasons: readonly string[] } {
  const wanted = Object.values(map);
  const checks = images.flatMap((image) => {
    const of = wanted.filter(({ repository }) => repository === image.repository);
    return of.length === 0 ? [] : [{ image, digests: of.map((each) => each.digest) }];
  });
  const wrong = checks.filter(({ image, digests }) => !digests.includes(image.digest ?? ""));
  const reasons = wrong.map(({ image, digests }) => mismatch(image, digests));
  const lacks = digest !== undefined && !images.some((image) => image.digest === digest);
  if (lacks) {
    const [first] = images;
    reasons.push(
      first !== undefined && images.length === 1
        ? mismatch(first, [digest])
        : `containers run ${images.map(({ digest: runs }) => runs ?? "an unknown digest").join(", ")}, expected ${digest}`,
    );
  }
  if (reasons.length > 0) return { verdict: "wrong", reasons };
  const proved = checks.length > 0 || digest !== undefined;
  return { verdict: proved ? "proved" : "not-checked", reasons };
}

function mismatch({ container, digest }: ContainerImage, digests: readonly string[]): string {
  const runs = digest === undefined ? "does not tell the digest it runs" : `runs ${digest}`;
  return `container ${container} ${runs}, expected ${digests.join(" or ")}`;
}
