import { UserError } from "../../shared/failure/index.ts";
import { nameOf, parseRegistry, type Repository } from "../../shared/images/index.ts";
import type { Options } from "./inputs.ts";

/**
 * The repositories that are named: by their full names, below the registry, or as those of images
 * that build-push has pushed. Each once.
 *
 * @throws {UserError} when none is named, or one cannot be.
 */
export function repositoriesOf(
  options: Pick<Options, "repositories" | "registry" | "images">,
): readonly [Repository, ...Repository[]] {
  const pushed = Object.values(options.images ?? {}).map(({ repository }) => repository);
  const named = (options.repositories ?? []).map((name) => fullName(name, options.registry));
  const found = new Map<string, Repository>();
  for (const name of [...named, ...pushed]) {
    const repository = parseRegistry(name);
    if ("problem" in repository) throw wrong(`${name}: ${repository.problem}`);
    if (repository.path === "") throw wrong(`${name}: it names a registry, and no repository`);
    found.set(nameOf(repository), repository);
  }
  const [first, ...others] = found.values();
  if (first === undefined) {
    throw wrong("neither repositories nor images nor images-file names a repository");
  }
  return [first, ...others];
}

function fullName(name: string, registry: string | undefined): string {
  const first = name.split("/")[0] ?? "";
  const hasHost = name.includes("/") && (/[.:]/.test(first) || first === "localhost");
  if (/@|:[^/]*$/.test(hasHost ? name.slice(first.length) : name)) {
    throw wrong(`${name}: name the repository alone, without tag or digest`);
  }
  if (hasHost) return name;
  if (registry === undefined) {
    throw wrong(`${name}: give the input registry, or the repository with its registry's host`);
  }
  return `${registry.replace(/\/+$/, "")}/${name}`;
}

function wrong(problem: string): UserError {
  return new UserError({
    title: "There is no such repository",
    cause: `repositories: ${problem}.`,
    remedy: "Correct the step's `with:` and run again; nothing was deleted.",
  });
}
