import type { BakeTarget } from "../buildkit/index.ts";

/** What buildah leaves undone of a target. */
export interface Limits {
  /** What was asked for and cannot be had: the target is not built. Phrases. */
  readonly refused: readonly string[];
  /** What the image will be without, though nobody insisted on it. Phrases. */
  readonly notDone: readonly string[];
}

/** Finds what buildah cannot do of what a target asks for. */
export function limitsOf(target: BakeTarget): Limits {
  const refused: string[] = [];
  const notDone: string[] = [];
  if (target.sbom === true) refused.push("a bill of materials (sbom)");
  if (target.provenance === "max") refused.push("provenance (provenance: max)");
  else if (target.provenance === "min" && target.output !== "none") {
    notDone.push("a provenance attestation");
  }
  for (const [name, value] of Object.entries(target.contexts ?? {})) {
    if (value.startsWith("target:")) refused.push(`another build as the context ${name}`);
  }
  const elsewhere = annotationsOf(target).filter(({ level }) => level !== "manifest");
  if (elsewhere.length > 0) {
    refused.push(`annotation of an index (${elsewhere.map(({ key }) => key).join(", ")})`);
  }
  if ((target.noCacheFilter ?? []).length > 0) notDone.push("no-cache-filter");
  const caches = [...(target.cacheFrom ?? []), ...(target.cacheTo ?? [])];
  if (caches.length > 0) notDone.push("a cache other than the layers on this machine");
  if ((target.entitlements ?? []).some((right) => right !== "network.host")) {
    refused.push(`the rights ${(target.entitlements ?? []).join(", ")}`);
  }
  return { refused, notDone };
}

/** The annotations of the image itself, by name. */
export function manifestAnnotations(
  target: BakeTarget,
): readonly (readonly [name: string, value: string])[] {
  return annotationsOf(target)
    .filter(({ level }) => level === "manifest")
    .map(({ name, value }) => [name, value]);
}

const LEVEL = /^((?:manifest|index)(?:-descriptor)?(?:\[[^\]]*\])?):(.*)$/s;

function annotationsOf({ annotations = {} }: BakeTarget) {
  return Object.entries(annotations).map(([key, value]) => {
    const [, level = "manifest", name = key] = LEVEL.exec(key) ?? [];
    return { key, level, name, value };
  });
}
