import {
  imageNameProblem,
  nameOf,
  parseRegistry,
  type Repository,
  repositoryBelow,
  tagProblem,
} from "../../shared/images/index.ts";
import { quoted } from "./problem.ts";

type Registry = { readonly host: string; readonly path: string };
type Wrong = { readonly problem: string };

/** A repository with the tags that a file names for it. */
export interface TaggedRepository {
  readonly repository: Repository;
  readonly tags: readonly string[];
}

/** The repository of a service that is named below the step's registry. */
export function belowRegistry(registry: Registry, name: string): Repository | Wrong {
  const problem = imageNameProblem(name);
  return problem === undefined ? repositoryBelow(registry, name) : { problem };
}

/** The repository that the key `image` names: with its registry, and without a tag. */
export function repositoryNamed(image: string): Repository | Wrong {
  const { name, tag, digest } = taken(image);
  if (tag !== undefined || digest !== undefined) {
    return { problem: "leave out what follows the name; tags belong into tags" };
  }
  const [host = "", ...path] = name.split("/");
  if (path.length === 0 || !hasHost(name)) {
    return { problem: "name its registry too, such as ghcr.io/owner/api; Docker Hub is docker.io" };
  }
  return repositoryAt(host, path.join("/"));
}

/**
 * The repositories, each with its tags, of names as bake and compose files have them. A name
 * without a registry's host belongs below the step's registry; where none is given it belongs to
 * Docker Hub, as for docker itself.
 */
export function repositoriesOf(
  references: readonly string[],
  registry: Registry | undefined,
): { readonly repositories: readonly TaggedRepository[]; readonly problems: readonly string[] } {
  const found = new Map<string, { repository: Repository; tags: string[] }>();
  const problems: string[] = [];
  for (const reference of references) {
    const read = readReference(reference, registry);
    if ("problem" in read) {
      problems.push(`${quoted(reference)}: ${read.problem}`);
      continue;
    }
    const { repository, tag } = read;
    const entry = found.get(nameOf(repository)) ?? { repository, tags: [] };
    if (!entry.tags.includes(tag)) entry.tags.push(tag);
    found.set(nameOf(repository), entry);
  }
  return { repositories: [...found.values()], problems };
}

function readReference(
  reference: string,
  registry: Registry | undefined,
): { readonly repository: Repository; readonly tag: string } | Wrong {
  const { name, tag = "latest", digest } = taken(reference);
  if (digest !== undefined) return { problem: "a digest is known only after the push; give a tag" };
  const wrong = tagProblem(tag);
  if (wrong !== undefined) return { problem: `its tag ${JSON.stringify(tag)}: ${wrong}` };
  const repository = repositoryIn(name, registry);
  return "problem" in repository ? repository : { repository, tag };
}

function repositoryIn(name: string, registry: Registry | undefined): Repository | Wrong {
  if (hasHost(name)) {
    const [host = "", ...path] = name.split("/");
    return repositoryAt(host, path.join("/"));
  }
  if (registry !== undefined) return belowRegistry(registry, withoutPrefix(name, registry.path));
  if (name.includes("/")) return repositoryAt("docker.io", name);
  return {
    problem: `on Docker Hub it would be docker.io/library/${name}, which is Docker's own; give registry, or write the whole name`,
  };
}

/** `owner/api` below `ghcr.io/owner` is meant to be there once. */
function withoutPrefix(name: string, path: string): string {
  return path !== "" && name.startsWith(`${path}/`) ? name.slice(path.length + 1) : name;
}

function repositoryAt(host: string, path: string): Repository | Wrong {
  const registry = parseRegistry(host);
  if ("problem" in registry) return registry;
  return belowRegistry(registry, path);
}

/** As container tools do: the first part is a host when it has a dot or a port, or is localhost. */
function hasHost(name: string): boolean {
  const [first = "", ...rest] = name.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
}

function taken(text: string): { name: string; tag?: string; digest?: string } {
  const [named = "", digest] = splitAt(text, text.indexOf("@"));
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const [name = "", tag] = splitAt(named, colon);
  return {
    name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function splitAt(text: string, at: number): [string, string?] {
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
