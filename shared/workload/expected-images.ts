import { repositoryOf } from "./image-name.ts";
import type { ExpectedImage } from "./running-images.ts";
import type { Workload } from "./workload.ts";

/** The images that workloads pin by digest: what their pods run can be proved. */
export function expectedImages(workloads: readonly Workload[]): readonly ExpectedImage[] {
  const images = workloads.flatMap(({ name, containers }) =>
    containers.flatMap(({ image, init }) => {
      const digest = image.split("@")[1];
      if (init || digest === undefined) return [];
      return [{ service: name, repository: repositoryOf(image), digest }];
    }),
  );
  // Two containers of one repository at different digests cannot be told apart by the repository.
  const repositories = images.map(({ repository }) => repository);
  return images.filter(
    ({ repository, digest }, index) =>
      images.every((other) => other.repository !== repository || other.digest === digest) &&
      repositories.indexOf(repository) === index,
  );
}
