import type { Passage } from "../../../actions/build-push/result.ts";
import type { PlacedService } from "../../../actions/build-push/sources.ts";
import type { BakeResult } from "../../../shared/buildkit/index.ts";
import type { StoredImage } from "../../../shared/registry/index.ts";

export const digest = `sha256:${"a".repeat(64)}`;

/** An image as the registry has it. */
export function storedImage(name: string, change: Partial<StoredImage> = {}): StoredImage {
  return {
    repository: `r.io/${name}`,
    digest,
    reference: `r.io/${name}@${digest}`,
    mediaType: "application/vnd.oci.image.index.v1+json",
    platforms: ["linux/amd64"],
    size: 12_345_678,
    labels: {},
    attestations: [],
    papers: [],
    images: [],
    ...change,
  };
}

/** A service of which no more is known than what outcomes tell. */
export function service(name: string, change: Partial<PlacedService> = {}): PlacedService {
  const known: Partial<PlacedService> = {
    name,
    repository: { host: "r.io", path: name },
    tags: ["1", "latest"],
    mirrors: [],
    dependsOn: [],
    ...change,
  };
  return known as PlacedService;
}

export function built(name: string, change: Partial<BakeResult> = {}): BakeResult {
  const steps = { done: 3, cached: 2, total: 3 };
  return { name, digest, steps, began: 1_000, ended: 3_000, attempts: 1, ...change };
}

/** A service that was built, proven and released. */
export function passage(name: string, change: Partial<Passage> = {}): Passage {
  return {
    service: service(name),
    decision: { kind: "build", why: ["the Dockerfile changed"], images: [] },
    contentKey: undefined,
    before: undefined,
    built: built(name),
    images: [storedImage(name)],
    gate: [],
    released: true,
    failure: undefined,
    ...change,
  };
}
