import { UserError } from "../failure/index.ts";
import { nameOf, type ObjectRef, parseTarget } from "../kubernetes/index.ts";
import { KINDS } from "./live-workload.ts";

/** Where a user says that an image goes. */
export interface WorkloadLine {
  readonly text: string;
  readonly ref: ObjectRef;
  /** `deployment/web` */
  readonly title: string;
  readonly container: string | undefined;
  readonly service: string;
}

/**
 * Reads `deployment/web:container=service`; the container may be left out where it is plain.
 *
 * @throws {UserError} when it has another form, or names a kind that has no images to set.
 */
export function parseWorkloadLine(text: string, namespace: string): WorkloadLine {
  const form = /^(?<target>[^:=]+)(?::(?<container>[^:=]+))?=(?<service>\S+)$/.exec(text.trim());
  const { target, container, service } = form?.groups ?? {};
  if (target === undefined || service === undefined) {
    throw new UserError({
      title: "No such form of workload",
      cause: `workloads: ${JSON.stringify(text)} is not of the form kind/name:container=service.`,
      remedy:
        "Write it as deployment/web:app=web; the container may be left out where there is one.",
    });
  }
  const ref = parseTarget(target.trim(), namespace);
  if (!KINDS.some(({ kind }) => kind === ref.kind)) {
    throw new UserError({
      title: "No images are set in this kind",
      cause: `workloads: ${text} names a ${ref.kind}.`,
      remedy: `Images are set in ${KINDS.map(({ kind }) => kind).join(", ")}.`,
    });
  }
  return { text: text.trim(), ref, title: nameOf(ref), container: container?.trim(), service };
}
