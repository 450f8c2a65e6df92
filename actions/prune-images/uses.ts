import { nameOf, type Repository } from "../../shared/images/index.ts";
import { mentionReader, type Use } from "../../shared/retention/index.ts";

/**
 * Collects what is in use, from any text that names images. Of each image the first few are kept
 * that use it: a reader wants to know why, not how often.
 */
export class Uses {
  readonly #read: ReturnType<typeof mentionReader>;
  readonly #byDigest = new Map<string, Set<string>>();
  readonly #byTag = new Map<string, Map<string, Set<string>>>();

  constructor(repositories: readonly Repository[]) {
    this.#read = mentionReader(repositories);
  }

  /** @returns how many images the text named. */
  add(text: string, by: string): number {
    const { digests, tags } = this.#read(text);
    for (const digest of digests) note(this.#byDigest, digest, by);
    let named = digests.size;
    for (const [repository, under] of tags) {
      const known = this.#byTag.get(repository) ?? new Map<string, Set<string>>();
      this.#byTag.set(repository, known);
      for (const tag of under) note(known, tag, by);
      named += under.size;
    }
    return named;
  }

  /** What is in use that a repository may hold: a digest may be any's. */
  of(repository: Repository): readonly Use[] {
    const tags = this.#byTag.get(nameOf(repository)) ?? new Map<string, Set<string>>();
    return [
      ...[...this.#byDigest].flatMap(([digest, by]) => [...by].map((one) => ({ digest, by: one }))),
      ...[...tags].flatMap(([tag, by]) => [...by].map((one) => ({ tag, by: one }))),
    ];
  }
}

const MOST_SHOWN = 3;

function note(map: Map<string, Set<string>>, key: string, by: string): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([by]));
  else if (known.size < MOST_SHOWN) known.add(by);
}
