import { objectsOf, type Revision } from "../helm/index.ts";
import { workloadsOf } from "../workload/index.ts";

/** An image that a revision asks for. */
export interface RevisionImage {
  /** `deployment/web` */
  readonly workload: string;
  readonly namespace: string;
  readonly container: string;
  /** As the manifest names it. */
  readonly image: string;
}

/** The images that a revision's own manifest names, init containers' among them. */
export function imagesOf(revision: Revision, namespace: string): readonly RevisionImage[] {
  return workloadsOf(objectsOf(revision.manifest), namespace).flatMap((workload) =>
    workload.containers.map(({ name, image }) => ({
      workload: `${workload.kind.toLowerCase()}/${workload.name}`,
      namespace: workload.namespace,
      container: name,
      image,
    })),
  );
}
