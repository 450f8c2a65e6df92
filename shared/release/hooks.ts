import { objectsOf } from "../helm/index.ts";
import type { KubernetesObject } from "../kubernetes/index.ts";

/** What Helm is at when it runs a hook. */
export type Doing = "install" | "upgrade" | "rollback" | "delete";

/** An object that Helm makes beside the release, and deletes again; Jobs and Pods are waited for. */
export interface Hook {
  readonly object: KubernetesObject;
  /** When Helm runs it: `pre-upgrade`; several are separated by commas. */
  readonly when: string;
  /** Whether Helm would delete it after a failure. */
  readonly deletedOnFailure: boolean;
}

const HOOK = "helm.sh/hook";
const RUN = ["Job", "Pod"];

/** Whether a hook runs a program, which Helm waits for. */
export function runs({ object }: Hook): boolean {
  return RUN.includes(object.kind);
}

/** The hooks of a manifest that Helm makes before or after what is done. */
export function hooksOf(objects: readonly KubernetesObject[], doing: Doing): readonly Hook[] {
  return objects.flatMap((object) => {
    const { annotations = {} } = object.metadata;
    const times = listOf(annotations[HOOK]);
    const when = times.filter((time) => time === `pre-${doing}` || time === `post-${doing}`);
    if (when.length === 0) return [];
    const policies = listOf(annotations["helm.sh/hook-delete-policy"]);
    return [{ object, when: when.join(", "), deletedOnFailure: policies.includes("hook-failed") }];
  });
}

/** The hooks of a recorded revision. */
export function recordedHooks(manifests: readonly string[], doing: Doing): readonly Hook[] {
  return hooksOf(manifests.flatMap(objectsOf), doing);
}

/** Whether an object is a hook of any kind: Helm does not count it among the release's own. */
export function isHook({ metadata }: KubernetesObject): boolean {
  return metadata.annotations?.[HOOK] !== undefined;
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").map((word) => word.trim());
}
