import { repositoryOf } from "./image-name.ts";
import type { RunningPod } from "./running-images.ts";

/** What a container of a pod runs. */
export interface ContainerImage {
  readonly container: string;
  /** Without tag and digest. */
  readonly repository: string;
  /** `sha256:...`; undefined when the pod does not tell. */
  readonly digest: string | undefined;
}

/**
 * What the main containers of a pod run. One that was started by digest runs that digest, or it
 * would not have started; one that was started by tag tells in its imageID what the tag meant.
 */
export function imagesOf(pod: RunningPod): readonly ContainerImage[] {
  return pod.spec.containers.map(({ name, image = "" }) => {
    const started = pod.status?.containerStatuses?.find((status) => status.name === name);
    const digest = digestIn(image) ?? digestIn(started?.imageID ?? "");
    return { container: name, repository: repositoryOf(image), digest };
  });
}

function digestIn(reference: string): string | undefined {
  return /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
}
