import { normalPlatform, parseRegistry, type Repository } from "../../shared/images/index.ts";
import { clashes, dependencyProblems } from "./clashes.ts";
import {
  belowRegistry,
  repositoriesOf,
  repositoryNamed,
  type TaggedRepository,
} from "./image-of.ts";
import type { Options } from "./inputs.ts";
import type { TagsFor } from "./naming.ts";
import type { PlannedBuild, PlannedService } from "./planned.ts";
import { different, type Problem, quoted } from "./problem.ts";
import type { WrittenService } from "./service-input.ts";
import { problemsOf } from "./service-problems.ts";

/** What is to be built, and all that is wrong with what was asked. */
export interface Plan {
  readonly services: readonly PlannedService[];
  /** Built only because a service builds on them, and not pushed. */
  readonly dependencies: readonly PlannedBuild[];
  readonly problems: readonly Problem[];
}

/** What the plan needs to know beside the inputs. */
export interface Surroundings {
  readonly tagsFor: TagsFor;
}

/** Turns services as they were written into what is to be built. Pure: files are looked at later. */
export function plan(
  options: Options,
  written: readonly WrittenService[],
  surroundings: Surroundings,
): Plan {
  const problems: Problem[] = [];
  const registry = options.registry === undefined ? undefined : parseRegistry(options.registry);
  if (registry !== undefined && "problem" in registry) {
    problems.push({ where: "registry", problem: registry.problem });
  }
  const services: PlannedService[] = [];
  const dependencies: PlannedBuild[] = [];
  for (const each of written) {
    const build = buildOf(options, each);
    problems.push(...problemsOf(build, options));
    if (each.linked) {
      dependencies.push(build);
      continue;
    }
    const place = imageOf(each, options, surroundings, registry);
    problems.push(...place.problems.map((problem) => ({ ...problem, at: each.at })));
    services.push({ ...build, ...place.image });
  }
  const all = [...services, ...dependencies];
  return {
    services,
    dependencies,
    problems: different([...problems, ...dependencyProblems(all), ...clashes(services)]),
  };
}

function buildOf(options: Options, { prefix, input, at }: WrittenService): PlannedBuild {
  const contexts = contextsOf(options, input);
  const links = Object.values(contexts).filter((each) => each.startsWith("target:"));
  const entitlements = [...(input.entitlements ?? [])];
  if (input.network === "host") entitlements.push("network.host");
  return {
    prefix,
    name: input.name,
    context: joined(options, input.context),
    contexts,
    dockerfile: input.dockerfile ?? "Dockerfile",
    dockerfileInline: input.dockerfileInline,
    target: input.target,
    buildArgs: { ...options.buildArgs, ...input.buildArgs },
    secrets: { ...options.secrets, ...input.secrets },
    ssh: input.ssh ?? [],
    platforms: onePerPlatform(input.platforms ?? options.platforms ?? []),
    labels: input.labels ?? {},
    annotations: input.annotations ?? {},
    cacheFrom: input.cacheFrom ?? [],
    cacheTo: input.cacheTo ?? [],
    noCache: input.noCache === true || options.noCache,
    noCacheFilter: input.noCacheFilter ?? [],
    pull: input.pull ?? false,
    network: input.network,
    extraHosts: input.extraHosts ?? {},
    shmSize: input.shmSize,
    ulimits: input.ulimits ?? [],
    entitlements: [...new Set(entitlements)],
    provenance: input.provenance,
    sbom: input.sbom,
    exporter: input.exporter ?? {},
    dependsOn: [...new Set(links.map((each) => each.slice("target:".length)))],
    at,
  };
}

/** The step's and its own; what the step gives to all does not lead a service to itself. */
function contextsOf(options: Options, { name, contexts = {} }: WrittenService["input"]) {
  const ofStep = Object.entries(options.buildContexts ?? {}).filter(
    ([, value]) => value !== `target:${name}`,
  );
  const all = Object.entries({ ...Object.fromEntries(ofStep), ...contexts });
  return Object.fromEntries(
    all.map(([key, value]) => [key, isFolder(value) ? joined(options, value) : value]),
  );
}

/** Whether a named context is a path, and no name of an image, of a target or of an address. */
export function isFolder(context: string): boolean {
  return !/^(?:target:|[a-z][a-z0-9+-]*:\/\/|git@)/.test(context);
}

/** Paths are relative to the input `context`, which itself is the context where none is given. */
function joined(options: Options, path: string | undefined): string {
  if (path === undefined) return options.context;
  return path.startsWith("/") || options.context === "." ? path : `${options.context}/${path}`;
}

/** `linux/arm64` and `linux/arm64/v8` are one; it stays as it was written first. */
function onePerPlatform(platforms: readonly string[]): readonly string[] {
  const normal = platforms.map(normalPlatform);
  return platforms.filter((_, index) => normal.indexOf(normal[index] ?? "") === index);
}

type Image = Pick<PlannedService, "repository" | "tags" | "mirrors">;

/** Where the image of a service goes, and under which tags. */
function imageOf(
  { prefix, input, references }: WrittenService,
  options: Options,
  { tagsFor }: Surroundings,
  given: ReturnType<typeof parseRegistry> | undefined,
): { readonly image: Image; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const refuse = (key: string, problem: string) => {
    problems.push({ where: `${prefix}${key}`, problem });
  };
  const registry = given === undefined || "problem" in given ? undefined : given;
  const named = repositoriesOf(references, registry);
  for (const problem of named.problems) refuse("tags", problem);
  const own = input.tags ?? options.tags;
  const made = tagsFor(input.tags);
  const extra =
    input.extraTags === undefined ? { tags: [], problems: [] } : tagsFor(input.extraTags, true);
  const [first, ...others] = named.repositories;
  // What the file says of tags holds unless the step says otherwise.
  const ofFile = first !== undefined && own === undefined;
  if (input.tags !== undefined) for (const problem of made.problems) refuse("tags", problem);
  else if (!ofFile) problems.push(...made.problems.map((problem) => ({ where: "tags", problem })));
  for (const problem of extra.problems) refuse("extra-tags", problem);
  const tagsOf = (of: TaggedRepository | undefined) => [
    ...new Set([...(ofFile && of !== undefined ? of.tags : made.tags), ...extra.tags]),
  ];
  const repository = first?.repository ?? repositoryFor(input, given, registry, references, refuse);
  const further = (input.mirrors ?? []).flatMap((image) => {
    const found = repositoryNamed(image);
    if (!("problem" in found)) return [{ repository: found, tags: [] }];
    refuse("mirrors", `${quoted(image)}: ${found.problem}`);
    return [];
  });
  const mirrors = [...others, ...further].map((each) => ({ ...each, tags: tagsOf(each) }));
  return { image: { repository, tags: tagsOf(first), mirrors }, problems };
}

const NOWHERE: Repository = { host: "", path: "" };

function repositoryFor(
  { name, image }: WrittenService["input"],
  given: ReturnType<typeof parseRegistry> | undefined,
  registry: { readonly host: string; readonly path: string } | undefined,
  references: readonly string[],
  refuse: (key: string, problem: string) => void,
): Repository {
  // What is wrong with these is told already.
  if (references.length > 0 || (image === undefined && given !== undefined && !registry)) {
    return NOWHERE;
  }
  if (image === undefined && registry === undefined) {
    refuse("name", "nothing says where its image goes; give registry, or the image's whole name");
    return NOWHERE;
  }
  const found =
    image === undefined && registry !== undefined
      ? belowRegistry(registry, name)
      : repositoryNamed(image ?? "");
  if (!("problem" in found)) return found;
  const [key, text] = image === undefined ? ["name", name] : ["image", image];
  refuse(key, `${quoted(text)}: ${found.problem}`);
  return NOWHERE;
}
