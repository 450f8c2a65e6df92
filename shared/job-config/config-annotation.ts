import type { KubernetesObject } from "../kubernetes/index.ts";
import { referencesOf, templateOf, templatePathOf } from "./pod-references.ts";
import type { SettledConfig } from "./settle.ts";

/** In the template of pods: which content of which ConfigMaps and Secrets they were made with. */
export const CONFIG = "seaworthy.dev/config";

type Settled = Pick<SettledConfig, "title" | "checksum" | "change">;

/**
 * What the annotation of a workload's template must be, so that its pods are made anew when what
 * they read has changed, and only then.
 *
 * What the annotation says already of other objects that the pods read stays as it is, for another
 * run keeps those. A workload that ran before and has no word on a content that does not change now
 * gets none: its pods have that content, and would be made anew for nothing.
 *
 * @param live the workload as it runs now, if it does.
 * @returns undefined when there is to be no annotation.
 */
export function configAnnotation(
  desired: KubernetesObject,
  live: KubernetesObject | undefined,
  config: readonly Settled[],
): string | undefined {
  const template = templateOf(desired);
  if (template === undefined) return undefined;
  const read = referencesOf(template);
  const noted = readAnnotation(live === undefined ? undefined : annotationOf(live));
  const wanted = new Map([...noted].filter(([title]) => read.has(title)));
  for (const { title, checksum, change } of config) {
    const concerns = live === undefined || change !== "unchanged" || noted.has(title);
    if (read.has(title) && concerns) wanted.set(title, checksum);
  }
  if (wanted.size === 0) return undefined;
  return [...wanted]
    .map(([title, checksum]) => `${title}=${checksum}`)
    .sort()
    .join(",");
}

/** The annotation that a workload's template has now. */
export function annotationOf(object: KubernetesObject): string | undefined {
  const metadata = templateOf(object)?.metadata as
    | { readonly annotations?: Readonly<Record<string, string>> }
    | undefined;
  return metadata?.annotations?.[CONFIG];
}

/** The objects, with the annotation in the templates of those whose pods read the job's config. */
export function withChecksums<T extends KubernetesObject>(
  objects: readonly T[],
  liveOf: (object: T) => KubernetesObject | undefined,
  config: readonly Settled[],
): readonly T[] {
  return objects.map((object) => {
    const path = templatePathOf(object);
    const value = path === undefined ? undefined : configAnnotation(object, liveOf(object), config);
    if (path === undefined || value === undefined) return object;
    return withIn(object, [...path, "metadata", "annotations", CONFIG], value) as T;
  });
}

function withIn(tree: unknown, [key, ...rest]: readonly string[], value: string): unknown {
  if (key === undefined) return value;
  const inner = typeof tree === "object" && tree !== null ? (tree as Record<string, unknown>) : {};
  return { ...inner, [key]: withIn(inner[key], rest, value) };
}

function readAnnotation(text: string | undefined): ReadonlyMap<string, string> {
  const pairs = (text ?? "").split(",").flatMap((pair) => {
    const at = pair.lastIndexOf("=");
    return at <= 0 ? [] : [[pair.slice(0, at), pair.slice(at + 1)] as const];
  });
  return new Map(pairs);
}
