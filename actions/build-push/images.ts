import type { Passage } from "./result.ts";

/** A service's image as the outputs and the images file have it. */
export interface ImageOutput {
  /** host/path */
  readonly repository: string;
  /** The first of its tags; empty where no tag leads to it. */
  readonly tag: string;
  readonly tags: readonly string[];
  /** As the registry attests it. */
  readonly digest: string;
  /** repository@digest */
  readonly reference: string;
  /** repository:tag@digest */
  readonly ref: string;
  readonly platforms: readonly string[];
  /** Bytes that a node has to pull for the first platform. */
  readonly size: number;
  readonly status: "built" | "reused";
  /** The content key, 64 hex digits; empty where it is not known. */
  readonly key: string;
  /** The same image elsewhere, as repository@digest. */
  readonly mirrors: readonly string[];
}

/** What the registry attests, by service. */
export function imagesOf(passages: readonly Passage[]): Readonly<Record<string, ImageOutput>> {
  const proven = passages.flatMap((passage) => {
    const output = imageOutput(passage);
    return output === undefined ? [] : [[passage.service.name, output] as const];
  });
  return Object.fromEntries(proven);
}

function imageOutput({
  service,
  images,
  contentKey,
  built,
  released,
}: Passage): ImageOutput | undefined {
  const [image, ...mirrors] = images;
  if (image === undefined) return undefined;
  const { repository, digest, reference, platforms, size } = image;
  const tags = released ? service.tags : [];
  const [tag = ""] = tags;
  return {
    repository,
    tag,
    tags,
    digest,
    reference,
    ref: tag === "" ? reference : `${repository}:${tag}@${digest}`,
    platforms,
    size,
    status: built === undefined ? "reused" : "built",
    key: contentKey?.key ?? "",
    mirrors: mirrors.map((each) => each.reference),
  };
}

/** A matrix for jobs that follow: one for each service that changed. */
export function matrixOf(passages: readonly Passage[]) {
  const images = imagesOf(passages);
  const include = passages
    .filter(({ decision }) => decision.kind === "build")
    .map(({ service: { name } }) => ({
      service: name,
      ...(images[name] === undefined ? {} : { image: images[name].ref }),
    }));
  return { include };
}
