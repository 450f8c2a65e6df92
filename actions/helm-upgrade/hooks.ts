import type { KubernetesObject } from "../../shared/kubernetes/index.ts";

/** A Job or Pod that Helm makes and waits for beside the release. */
export interface Hook {
  readonly object: KubernetesObject;
  /** When Helm runs it: `pre-upgrade`; several are separated by commas. */
  readonly when: string;
  /** Whether Helm would delete it after a failure. */
  readonly deletedOnFailure: boolean;
}

const RUN = ["Job", "Pod"];

/** The hooks of a manifest that run a program before or after an install or an upgrade. */
export function hooksOf(
  objects: readonly KubernetesObject[],
  doing: "install" | "upgrade",
): readonly Hook[] {
  return objects.flatMap((object) => {
    const { annotations = {} } = object.metadata;
    const times = listOf(annotations["helm.sh/hook"]);
    const when = times.filter((time) => time === `pre-${doing}` || time === `post-${doing}`);
    if (when.length === 0 || !RUN.includes(object.kind)) return [];
    const policies = listOf(annotations["helm.sh/hook-delete-policy"]);
    return [{ object, when: when.join(", "), deletedOnFailure: policies.includes("hook-failed") }];
  });
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").map((word) => word.trim());
}
