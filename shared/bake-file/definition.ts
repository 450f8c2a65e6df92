import type { Place } from "../failure/index.ts";
import { csvFields, csvLine, csvMapping } from "./csv.ts";
import { readAttest, readOutputs } from "./output.ts";
import type { BakeFileTarget, Refusal } from "./target.ts";

type Mapping = Readonly<Record<string, string>>;
type Printed = Readonly<Record<string, unknown>>;

/** What `buildx bake --print` writes. */
export interface PrintedDefinition {
  readonly group?: Readonly<Record<string, { readonly targets?: readonly string[] | null }>>;
  readonly target?: Readonly<Record<string, Printed>>;
}

/** What a target's reader needs to know of the world. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly placeOf: (target: string) => Place | undefined;
  /** The folder that `cwd://` stands for. */
  readonly directory: string;
}

/** Attributes that say nothing of what is built. */
const WORDS = ["description"];

/**
 * Targets from the words of buildx. What this does not carry on is refused, attribute by
 * attribute: nothing that a file says is dropped without a word.
 */
export function targetsIn(
  definition: PrintedDefinition,
  surroundings: Surroundings,
): readonly BakeFileTarget[] {
  const asked = askedFor(definition);
  return Object.entries(definition.target ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, printed]) => targetOf(name, printed, !asked.has(name), surroundings));
}

/** Targets of the group `default`, by which buildx gives back what it was asked for. */
function askedFor({ group = {}, target = {} }: PrintedDefinition): ReadonlySet<string> {
  const groups = new Map(Object.entries(group));
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (name: string) => {
    const members = seen.has(name) ? undefined : groups.get(name)?.targets;
    seen.add(name);
    // A group may be called like a target, and hold it.
    if (members) for (const member of members) visit(member);
    else if (Object.hasOwn(target, name)) found.add(name);
  };
  visit("default");
  return found;
}

function targetOf(
  name: string,
  printed: Printed,
  linked: boolean,
  { environment, placeOf, directory }: Surroundings,
): BakeFileTarget {
  const attributes = new Attributes(printed);
  const read = {
    name,
    linked,
    at: placeOf(name),
    context: inFolder(attributes.text("context") ?? ".", directory),
    contexts: mapValues(attributes.mapping("contexts"), (value) => inFolder(value, directory)),
    dockerfile: inFolder(attributes.text("dockerfile") ?? "Dockerfile", directory),
    dockerfileInline: plain(attributes.text("dockerfile-inline")),
    target: attributes.text("target"),
    args: withoutEpoch(attributes.plainMapping("args"), environment),
    labels: attributes.plainMapping("labels"),
    annotations: annotationsOf(attributes.texts("annotations").map((each) => plain(each) ?? "")),
    tags: attributes.texts("tags"),
    secrets: Object.fromEntries(
      attributes.mappings("secret").map((each) => secretOf(each, environment)),
    ),
    ssh: attributes.values("ssh").map(sshOf),
    platforms: attributes.texts("platforms").flatMap(platformsOf),
    cacheFrom: attributes.mappings("cache-from").map(cacheOf),
    cacheTo: attributes.mappings("cache-to").map(cacheOf),
    noCache: attributes.flag("no-cache"),
    noCacheFilter: attributes.texts("no-cache-filter"),
    pull: attributes.flag("pull"),
    network: attributes.text("network"),
    extraHosts: attributes.plainMapping("extra-hosts"),
    shmSize: attributes.text("shm-size"),
    ulimits: attributes.texts("ulimits"),
    entitlements: attributes.texts("entitlements"),
  };
  const attest = readAttest(attributes.mappings("attest"));
  const outputs = readOutputs(attributes.mappings("output"), linked);
  const refusals = [...attest.refusals, ...outputs.refusals, ...refusalsOf(attributes)];
  const { provenance, sbom } = attest;
  return { ...read, provenance, sbom, exporter: outputs.exporter, refusals };
}

/** Of attributes that this tool does not carry out, also of those that a later buildx may have. */
function refusalsOf(attributes: Attributes): readonly Refusal[] {
  const refusals: Refusal[] = [];
  const call = attributes.text("call");
  if (call !== undefined && call !== "build") {
    refusals.push({ key: "call", problem: `${call} builds nothing; leave its target out` });
  }
  for (const word of WORDS) attributes.take(word);
  for (const [key, value] of attributes.rest()) {
    if (value === null || (Array.isArray(value) && value.length === 0)) continue;
    refusals.push({ key, problem: "it is not carried over to the build; take it out of the file" });
  }
  return refusals;
}

/** What buildx printed of one target, from which what was read is taken away. */
class Attributes {
  readonly #left: Map<string, unknown>;

  constructor(printed: Printed) {
    this.#left = new Map(Object.entries(printed));
  }

  take(key: string): unknown {
    const value = this.#left.get(key);
    this.#left.delete(key);
    return value ?? undefined;
  }

  rest(): Iterable<readonly [string, unknown]> {
    return this.#left;
  }

  text(key: string): string | undefined {
    const value = this.take(key);
    return value === undefined || value === "" ? undefined : String(value);
  }

  flag(key: string): boolean | undefined {
    const value = this.take(key);
    return typeof value === "boolean" ? value : undefined;
  }

  values(key: string): readonly unknown[] {
    const value = this.take(key);
    return Array.isArray(value) ? value : [];
  }

  texts(key: string): readonly string[] {
    return this.values(key).map(String);
  }

  /** Mappings; before version 0.20 buildx wrote them as lines of CSV. */
  mappings(key: string): readonly Mapping[] {
    return this.values(key).map((each) => {
      if (typeof each !== "string") return mapValues(each as Printed, String);
      return each.includes("=") ? csvMapping(each) : shortForm(key, each);
    });
  }

  mapping(key: string): Mapping {
    const value = (this.take(key) ?? {}) as Printed;
    const entries = Object.entries(value).filter(([, each]) => each !== null);
    return mapValues(Object.fromEntries(entries), String);
  }

  /** A mapping of texts in which bake marks what HCL would take for a template. */
  plainMapping(key: string): Mapping {
    return mapValues(this.mapping(key), (value) => plain(value) ?? "");
  }
}

/** `user/app:cache` for a cache and a folder's name for an output say what they are. */
function shortForm(key: string, text: string): Mapping {
  return key.startsWith("cache") ? { type: "registry", ref: text } : { type: "local", dest: text };
}

function mapValues<T>(mapping: Readonly<Record<string, T>>, change: (value: T) => string): Mapping {
  return Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key, change(value)]));
}

/** Source: buildx, bake.go, Target.MarshalJSON: `${` and `%{` are printed as `$${` and `%%{`. */
function plain(text: string | undefined): string | undefined {
  return text?.replaceAll("$${", "${").replaceAll("%%{", "%{");
}

/** `cwd://` is the folder that buildx runs in, whatever else a path is relative to. */
function inFolder(path: string, directory: string): string {
  if (!path.startsWith("cwd://")) return path;
  const below = path.slice("cwd://".length).replace(/^\.?\/+/, "");
  return below === "" || below === "." ? directory : `${directory}/${below}`;
}

/** buildx adds the environment's to every target; the pipeline takes it from there itself. */
function withoutEpoch(args: Mapping, environment: Surroundings["environment"]): Mapping {
  const { SOURCE_DATE_EPOCH: epoch, ...others } = args;
  return epoch !== undefined && epoch === environment.SOURCE_DATE_EPOCH ? others : args;
}

function annotationsOf(texts: readonly string[]): Mapping {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** Source: buildx, buildflags/secrets.go, ResolveSource. */
function secretOf(
  { id = "", src, source, env, type }: Mapping,
  environment: Surroundings["environment"],
): [string, { variable: string } | { file: string }] {
  const file = src ?? source;
  if (env !== undefined && env !== "") return [id, { variable: env }];
  if (type === "env" && file !== undefined) return [id, { variable: file }];
  if (file !== undefined && file !== "") return [id, { file }];
  return [id, environment[id] === undefined ? { file: id } : { variable: id }];
}

function sshOf(value: unknown): { id: string; paths: readonly string[] } {
  if (typeof value === "string") {
    const [id = "default", ...paths] = value.split("=");
    return { id, paths: paths.length === 0 ? [] : csvFields(paths.join("=")) };
  }
  const { id = "default", paths } = value as { id?: string; paths?: readonly string[] };
  return { id, paths: paths ?? [] };
}

/** `local` is the machine's own that buildx runs on. */
function platformsOf(text: string): readonly string[] {
  return text.split(",").map((each) => {
    const platform = each.trim();
    if (platform !== "local") return platform;
    return `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
  });
}

function cacheOf({ type = "registry", ...attributes }: Mapping): string {
  return csvLine([["type", type], ...Object.entries(attributes).sort()]);
}
