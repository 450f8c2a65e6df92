import { nameOf, type Repository } from "../../shared/images/index.ts";
import { Refused, type Registry } from "../../shared/registry/index.ts";
import type { Catalogue, Listed } from "./catalogue.ts";
import { inLanes } from "./lanes.ts";
import { hasNoDeletion, NotDeletable, notSupported } from "./not-deletable.ts";

/**
 * Any registry, by the OCI distribution protocol: it lists tags only, does not say when it got
 * something, and deletes by digest where it does so at all.
 */
export class RegistryCatalogue implements Catalogue {
  readonly repository: Repository;
  readonly listsUntagged = false;
  readonly #registry: Registry;

  constructor(repository: Repository, registry: Registry) {
    this.repository = repository;
    this.#registry = registry;
  }

  async list(signal: AbortSignal): Promise<readonly Listed[]> {
    const { path } = this.repository;
    const tags = await this.#registry.tags(path, signal);
    const digests = await inLanes(tags, (tag) => this.#registry.digestOf(path, tag, signal));
    const byDigest = new Map<string, string[]>();
    for (const [at, digest] of digests.entries()) {
      const tag = tags[at];
      // A tag that went away meanwhile leads to nothing.
      if (digest === undefined || tag === undefined) continue;
      const known = byDigest.get(digest);
      if (known === undefined) byDigest.set(digest, [tag]);
      else known.push(tag);
    }
    return [...byDigest].map(([digest, under]) => ({ digest, tags: under, time: undefined }));
  }

  async remove(digest: string, tags: readonly string[], signal: AbortSignal): Promise<void> {
    const { path, host } = this.repository;
    try {
      const done = await this.#registry.deleteManifest(path, digest, signal);
      if (done === "unsupported") throw notSupported(host, nameOf(this.repository));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401 || error.status === 403) {
        // Some registries without deletion say that it is forbidden.
        throw hasNoDeletion(host) ? notSupported(host, nameOf(this.repository)) : forbidden(error);
      }
      if (tags.length === 0 || error.status >= 500) throw error;
      // Google's registry wants the tags gone before what they lead to.
      for (const tag of tags) await this.#registry.deleteTag(path, tag, signal);
      await this.#registry.deleteManifest(path, digest, signal);
    }
  }
}

function forbidden({ title, cause }: Refused): NotDeletable {
  return new NotDeletable({
    title,
    cause,
    remedy:
      "Grant the account the right to delete: AcrDelete on Azure, artifactregistry.repoAdmin on Google's, an administrator of the project elsewhere.",
  });
}
