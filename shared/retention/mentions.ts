import { nameOf, type Repository } from "../images/index.ts";

/** Every image that some text names. */
export interface Mentions {
  readonly digests: ReadonlySet<string>;
  /** Tags by the repository's `host/path`. */
  readonly tags: ReadonlyMap<string, ReadonlySet<string>>;
}

const DIGEST = /sha256:[0-9a-f]{64}(?![0-9a-f])/g;
const TAG = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";

/**
 * Finds the images of these repositories in any text: manifests, records, values. A digest counts
 * wherever it stands and whatever its repository is, for an image may be run by a mirror's name; a
 * tag where it follows a repository's name. Taking too much for an image only keeps more.
 */
export function mentionReader(repositories: readonly Repository[]): (text: string) => Mentions {
  const spellings = new Map(
    repositories.flatMap((one) => spellingsOf(one).map((name) => [name, nameOf(one)] as const)),
  );
  const names = [...spellings.keys()].toSorted((a, b) => b.length - a.length).map(RegExp.escape);
  const tagged = new RegExp(`(?<![\\w./-])(${names.join("|") || "(?!)"}):(${TAG})`, "g");
  return (text) => {
    const tags = new Map<string, Set<string>>();
    for (const [, spelling = "", tag = ""] of text.matchAll(tagged)) {
      const name = spellings.get(spelling) ?? "";
      const known = tags.get(name);
      if (known === undefined) tags.set(name, new Set([tag]));
      else known.add(tag);
    }
    return { digests: new Set(text.match(DIGEST)), tags };
  };
}

/** Container runtimes complete names that lack a host, and people leave it out. */
function spellingsOf(repository: Repository): string[] {
  const name = nameOf(repository);
  if (repository.host !== "docker.io") return [name];
  const { path } = repository;
  const own = path.startsWith("library/") ? [path.slice("library/".length)] : [];
  return [name, `index.docker.io/${path}`, path, ...own];
}
