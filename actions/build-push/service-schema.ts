import { isMapping, type Part, structure } from "../../shared/action/index.ts";
import type { SecretSource, ServiceInput, SshSource } from "./service-input.ts";

/** What the name of an environment variable looks like. */
export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** More services than this are a list gone wrong; a runner could not build them either. */
const MOST_SERVICES = 500;

type Mapping = Readonly<Record<string, string>>;

/** How each key of a service is read, in the order in which the keys are told. */
const READERS = {
  name: (part: Part) => part.text(),
  image: (part: Part) => part.text(),
  mirrors: texts,
  context: (part: Part) => part.text(),
  contexts: readTexts,
  dockerfile: (part: Part) => part.text(),
  "dockerfile-inline": readInline,
  target: (part: Part) => part.text(),
  "build-args": readBuildArgs,
  secrets: readSecrets,
  ssh: readSsh,
  platforms: texts,
  tags: texts,
  "extra-tags": texts,
  labels: readTexts,
  annotations: readTexts,
  "cache-from": texts,
  "cache-to": texts,
  "no-cache": readFlag,
  "no-cache-filter": texts,
  pull: readFlag,
  network: (part: Part) => part.text(),
  "extra-hosts": readTexts,
  "shm-size": (part: Part) => part.text(),
  ulimits: texts,
  entitlements: texts,
  provenance: readProvenance,
  sbom: readFlag,
} as const;

const KEYS = Object.keys(READERS) as (keyof typeof READERS)[];

/** A list of services, as the input `services` has it. */
export const servicesSchema = structure(
  (list) =>
    typeof list.value === "string"
      ? (list.refuse(misplaced(list.value)) ?? [])
      : list.items("service", MOST_SERVICES).flatMap((item) => readService(item) ?? []),
  { quotesNoValues: true },
);

/** Where a text belongs that was given instead of a list. */
function misplaced(text: string): string {
  if (/\.(?:hcl|json|ya?ml)$/i.test(text)) return "it is not a list; a file belongs into bake-file";
  if (/[*?/]/.test(text)) return "it is not a list; a pattern of folders belongs into folders";
  return "it is not a list; the name of one service belongs into name";
}

/** Secrets of a build, as the input `secrets` has them. */
export const secretsSchema = structure(readSecrets, { quotesNoValues: true });

/** Named contexts, as the input `build-contexts` has them. */
export const contextsSchema = structure(readTexts, { quotesNoValues: true });

function readService(item: Part): ServiceInput | undefined {
  const given = item.keys(KEYS);
  if (given.name === undefined && isMapping(item.value)) item.refuse("name is missing");
  const read = <K extends keyof typeof READERS>(key: K) => {
    const part = given[key];
    return part && (READERS[key](part) as ReturnType<(typeof READERS)[K]>);
  };
  const name = read("name");
  const service = {
    image: read("image"),
    mirrors: read("mirrors"),
    context: read("context"),
    contexts: read("contexts"),
    dockerfile: read("dockerfile"),
    dockerfileInline: read("dockerfile-inline"),
    target: read("target"),
    buildArgs: read("build-args"),
    secrets: read("secrets"),
    ssh: read("ssh"),
    platforms: read("platforms"),
    tags: read("tags"),
    extraTags: read("extra-tags"),
    labels: read("labels"),
    annotations: read("annotations"),
    cacheFrom: read("cache-from"),
    cacheTo: read("cache-to"),
    noCache: read("no-cache"),
    noCacheFilter: read("no-cache-filter"),
    pull: read("pull"),
    network: read("network"),
    extraHosts: read("extra-hosts"),
    shmSize: read("shm-size"),
    ulimits: read("ulimits"),
    entitlements: read("entitlements"),
    provenance: read("provenance"),
    sbom: read("sbom"),
  };
  return name === undefined ? undefined : { name, ...service };
}

function texts(list: Part): readonly string[] {
  return list.oneOrMore().flatMap((item) => item.text() ?? []);
}

function readTexts(mapping: Part): Mapping {
  const entries = mapping.entries().flatMap(([name, given]) => {
    const text = given.value === "" ? "" : given.text();
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(entries);
}

/** An empty value is one too: it overrides the default of the Dockerfile. */
function readBuildArgs(mapping: Part): Mapping {
  return readTexts(mapping);
}

/** As it was written: its indentation and its end matter. */
function readInline(part: Part): string | undefined {
  if (typeof part.value === "string" && part.value.trim() !== "") return part.value;
  part.text();
  return undefined;
}

function readFlag(part: Part): boolean | undefined {
  const { value } = part;
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  return part.refuse("it is neither true nor false");
}

function readProvenance(part: Part): "min" | "max" | "off" | undefined {
  const { value } = part;
  if (value === "min" || value === "max" || value === "off") return value;
  return part.refuse("it is none of min, max, off");
}

/** `default`, for the agent of the job, or `{id: file of a key}`. */
function readSsh(part: Part): readonly SshSource[] {
  return part.oneOrMore().flatMap((item): readonly SshSource[] => {
    if (isMapping(item.value)) {
      return Object.entries(readTexts(item)).map(([id, path]) => ({ id, paths: [path] }));
    }
    const id = item.text();
    return id === undefined ? [] : [{ id, paths: [] }];
  });
}

function readSecrets(mapping: Part): Readonly<Record<string, SecretSource>> {
  const entries = mapping.entries().flatMap(([id, given]) => {
    const source = readSecret(given);
    return source === undefined ? [] : [[id, source] as const];
  });
  return Object.fromEntries(entries);
}

function readSecret(given: Part): SecretSource | undefined {
  if (isMapping(given.value)) {
    const keys = given.keys(["file"]);
    if (keys.file === undefined) return given.refuse("file is missing");
    const file = keys.file.text();
    return file === undefined ? undefined : { file };
  }
  const variable = given.text();
  if (variable === undefined) return undefined;
  if (VARIABLE.test(variable)) return { variable };
  // The text may be the secret itself, put here by mistake: it is not repeated.
  return given.refuse(
    "give the name of an environment variable that holds the secret, not the secret itself",
  );
}
