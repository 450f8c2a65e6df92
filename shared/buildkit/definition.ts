import { nameOf } from "../images/index.ts";
import type { BakeTarget } from "./bake-target.ts";
import type { BuildSecret } from "./build-secret.ts";

/** What `buildx bake` reads, as JSON. */
interface Definition {
  readonly target: Readonly<Record<string, object>>;
}

/**
 * The bake definition of targets, each under the key that `keys` gives its name: bake takes few
 * characters in the names of targets, and they begin the names of the steps in its progress.
 */
export function bakeDefinition(
  targets: readonly BakeTarget[],
  keys: ReadonlyMap<string, string>,
): Definition {
  const entries = targets.map((target) => [keys.get(target.name), escaped(entryOf(target, keys))]);
  return { target: Object.fromEntries(entries) };
}

function entryOf(target: BakeTarget, keys: ReadonlyMap<string, string>): object {
  const { dockerfile, dockerfileInline, sourceDateEpoch, contexts = {} } = target;
  const epoch = sourceDateEpoch === undefined ? {} : { SOURCE_DATE_EPOCH: `${sourceDateEpoch}` };
  return {
    context: target.context,
    ...(dockerfileInline === undefined
      ? { dockerfile }
      : { "dockerfile-inline": dockerfileInline }),
    target: target.target,
    args: { ...epoch, ...target.buildArgs },
    labels: target.labels,
    annotations: pairs(target.annotations),
    platforms: target.platforms,
    contexts: Object.fromEntries(
      Object.entries(contexts).map(([name, context]) => [name, linked(context, keys)]),
    ),
    secret: target.secrets?.map(secretEntry),
    ssh: target.ssh?.map(({ id, paths }) => (paths.length ? `${id}=${paths.join(",")}` : id)),
    output: [csv(outputOf(target))],
    attest: attestations(target),
    "cache-from": target.cacheFrom,
    "cache-to": target.cacheTo,
    "no-cache": target.noCache,
    "no-cache-filter": target.noCacheFilter,
    pull: target.pull,
    network: target.network,
    "extra-hosts": target.extraHosts,
    "shm-size": target.shmSize,
    ulimits: target.ulimits,
    entitlements: target.entitlements,
  };
}

/** Targets name each other by the services' names. */
function linked(context: string, keys: ReadonlyMap<string, string>): string {
  if (!context.startsWith("target:")) return context;
  const name = context.slice("target:".length);
  return `target:${keys.get(name) ?? name}`;
}

function outputOf(target: BakeTarget): Record<string, string> {
  const { output, repository, mirrors = [], exporter = {}, sourceDateEpoch } = target;
  if (output === "none" || repository === undefined) return { type: "cacheonly" };
  return {
    type: "image",
    name: [repository, ...mirrors].map(nameOf).join(","),
    push: "true",
    "push-by-digest": "true",
    "name-canonical": "true",
    "oci-mediatypes": "true",
    ...(sourceDateEpoch === undefined ? {} : { "rewrite-timestamp": "true" }),
    ...exporter,
  };
}

function attestations({ provenance, sbom, sbomGenerator: generator }: BakeTarget): string[] {
  return [
    // Not said when it is min: buildx then adds it where the builder can, and fails nowhere.
    ...(provenance === "max" ? ["type=provenance,mode=max"] : []),
    ...(provenance === "off" ? ["type=provenance,disabled=true"] : []),
    ...(sbom === true ? [csv({ type: "sbom", ...(generator && { generator }) })] : []),
  ];
}

function secretEntry(secret: BuildSecret): string {
  return "variable" in secret
    ? csv({ type: "env", id: secret.id, env: secret.variable })
    : csv({ type: "file", id: secret.id, src: secret.file });
}

function pairs(map: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(map).map(([key, value]) => `${key}=${value}`);
}

/** Attributes as buildx reads them: the fields of one line of CSV. */
function csv(attributes: Readonly<Record<string, string>>): string {
  return pairs(attributes)
    .map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}

/**
 * Every text of a definition with its template markers taken literally: bake reads also the texts
 * and keys of JSON as templates. Source: HCL's JSON syntax specification, "Expressions".
 */
function escaped<T>(value: T): T {
  if (typeof value === "string") return literal(value) as T;
  if (Array.isArray(value)) return value.map(escaped) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [literal(key), escaped(each)]);
  return Object.fromEntries(entries) as T;
}

function literal(text: string): string {
  return text.replaceAll("${", () => "$${").replaceAll("%{", () => "%%{");
}
