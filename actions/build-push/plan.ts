import {
  imageNameProblem,
  parseRegistry,
  platformProblem,
  type Repository,
  repositoryBelow,
  tagProblem,
} from "../../shared/images/index.ts";
import type { Options } from "./inputs.ts";
import { secretLooking } from "./secret-looking.ts";
import type { SecretSource, ServiceInput } from "./service-schema.ts";

/** One thing that is wrong with the inputs, and where: `services.1 (api): context`. */
export interface Problem {
  readonly where: string;
  readonly problem: string;
}

/** A service with every default filled in; its paths are still as the user wrote them. */
export interface PlannedService {
  /** How messages name the service's keys: empty in the short form. */
  readonly prefix: string;
  readonly name: string;
  /** Relative to the workspace or absolute. */
  readonly context: string;
  /** Relative to the context or absolute. */
  readonly dockerfile: string;
  readonly target: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, SecretSource>>;
  readonly platforms: readonly string[];
  readonly repository: Repository;
  readonly tags: readonly string[];
}

/** The services to build, and all that is wrong with what was asked. */
export interface Plan {
  readonly services: readonly PlannedService[];
  readonly problems: readonly Problem[];
}

/** What the plan needs to know beside the inputs. */
export interface Surroundings {
  /** The commit's sha, the tag when none is given. */
  readonly sha: string | undefined;
  readonly isKnownSecret: (value: string) => boolean;
}

/** Turns the inputs into services to build. Pure: files are looked at later. */
export function plan(options: Options, surroundings: Surroundings): Plan {
  const problems: Problem[] = [...wrongCombinations(options)];
  const registry = parseRegistry(options.registry);
  if ("problem" in registry) problems.push({ where: "registry", problem: registry.problem });
  const inputs = serviceInputs(options);
  const services = inputs.map(({ prefix, input }) => {
    const where = (key: string) => `${prefix}${key}`;
    const repository =
      "problem" in registry
        ? { host: "", path: input.name }
        : repositoryBelow(registry, input.name);
    if ("problem" in repository) {
      problems.push({ where: where("name"), problem: repository.problem });
    }
    const service: PlannedService = {
      prefix,
      name: input.name,
      context: joined(options, input),
      dockerfile: input.dockerfile ?? "Dockerfile",
      target: input.target,
      buildArgs: { ...options.buildArgs, ...input.buildArgs },
      secrets: { ...options.secrets, ...input.secrets },
      platforms: input.platforms ?? options.platforms ?? [],
      repository: "problem" in repository ? { host: "", path: "" } : repository,
      tags: [...new Set(input.tags ?? options.tags ?? [surroundings.sha ?? ""])],
    };
    problems.push(...problemsOf(service, options, surroundings));
    return service;
  });
  return { services, problems: [...problems, ...repeatedNames(services)] };
}

/** In the list form, the contexts of the services are relative to the input `context`. */
function joined(options: Options, input: ServiceInput): string {
  const { context } = input;
  if (context === undefined) return options.context;
  return context.startsWith("/") || options.context === "."
    ? context
    : `${options.context}/${context}`;
}

function serviceInputs(
  options: Options,
): readonly { readonly prefix: string; readonly input: ServiceInput }[] {
  if (options.services !== undefined) {
    return options.services.map((input, index) => {
      return { prefix: `services.${index} (${input.name}): `, input };
    });
  }
  const { name, dockerfile, target } = options;
  return name === undefined ? [] : [{ prefix: "", input: { name, dockerfile, target } }];
}

function wrongCombinations(options: Options): Problem[] {
  const problems: Problem[] = [];
  const { name, services, username, password, builder, buildkit } = options;
  if (name === undefined && services === undefined) {
    problems.push({ where: "name", problem: "give name for one service, or services for several" });
  }
  if (services !== undefined) {
    for (const key of ["name", "dockerfile", "target"] as const) {
      if (options[key] !== undefined) {
        problems.push({ where: key, problem: "with services it belongs into their list" });
      }
    }
  }
  if ((username === undefined) !== (password === undefined)) {
    const where = username === undefined ? "username" : "password";
    problems.push({ where, problem: "username and password go together; it is missing or empty" });
  }
  if (builder !== undefined && buildkit !== undefined) {
    problems.push({ where: "builder", problem: "give builder or buildkit, not both" });
  }
  return problems;
}

function problemsOf(
  service: PlannedService,
  { publicBuildArgs = [] }: Options,
  { isKnownSecret }: Surroundings,
): Problem[] {
  const { prefix, name, tags, platforms, buildArgs, secrets, target } = service;
  const problems: Problem[] = [];
  const add = (key: string, text: string, problem: string | undefined) => {
    if (problem === undefined) return;
    problems.push({ where: `${prefix}${key}`, problem: `${JSON.stringify(text)}: ${problem}` });
  };
  add("name", name, imageNameProblem(name));
  for (const tag of tags) {
    add("tags", tag, tag === "" ? "GITHUB_SHA is not set: give a tag" : tagProblem(tag));
  }
  for (const platform of platforms) {
    add("platforms", platform, platformProblem(platform));
  }
  if (target !== undefined && !/^[A-Za-z0-9][\w.-]*$/.test(target)) {
    add("target", target, "a stage's name is made of letters, digits, `.`, `_` and `-`");
  }
  for (const [arg, value] of Object.entries(buildArgs)) {
    if (!/^[A-Za-z_]\w*$/.test(arg)) add("build-args", arg, "it is no name of a build argument");
    const looks = publicBuildArgs.includes(arg)
      ? undefined
      : secretLooking(arg, value, isKnownSecret);
    if (looks !== undefined) {
      add(
        "build-args",
        arg,
        `${looks}, and build arguments are kept in the image; give it in secrets, or list its name in public-build-args if anybody may know it`,
      );
    }
  }
  for (const id of Object.keys(secrets)) {
    if (!/^[A-Za-z0-9][\w.-]*$/.test(id)) {
      add("secrets", id, "an id is made of letters, digits, `.`, `_` and `-`");
    }
  }
  return problems;
}

function repeatedNames(services: readonly PlannedService[]): Problem[] {
  return services.flatMap(({ name, prefix }, index) => {
    const first = services.findIndex((other) => other.name === name);
    if (first === index) return [];
    return [{ where: `${prefix}name`, problem: `services.${first} has the same name` }];
  });
}
