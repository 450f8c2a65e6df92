import { UserError } from "../../shared/failure/index.ts";
import type { GitHub } from "../../shared/github/index.ts";
import type { Repository } from "../../shared/images/index.ts";
import type { Catalogue, Listed } from "./catalogue.ts";

const NEEDS =
  "`permissions: packages: write` and the role Admin on the package for this repository (package settings, Manage Actions access), or a classic token with read:packages and delete:packages";

/** A version of a package, as GitHub's API tells it. Source: REST API, "Packages". */
interface Version {
  readonly id: number;
  /** The digest of a manifest. */
  readonly name: string;
  readonly created_at: string;
  readonly metadata?: { readonly container?: { readonly tags?: readonly string[] } };
}

/**
 * GitHub's registry, which deletes only by GitHub's API. That lists every manifest as a version of a
 * package, with or without tags, and says when it came.
 */
export class GitHubCatalogue implements Catalogue {
  readonly repository: Repository;
  readonly listsUntagged = true;
  readonly #github: GitHub;
  readonly #ids = new Map<string, number>();
  #base: string | undefined;

  constructor(repository: Repository, github: GitHub) {
    this.repository = repository;
    this.#github = github;
  }

  async list(signal: AbortSignal): Promise<readonly Listed[]> {
    this.#base ??= await this.#findBase(signal);
    const versions = await this.#github.list<Version>(this.#base, NEEDS, signal);
    if (versions === undefined) throw this.#missing();
    const found: Listed[] = [];
    for await (const { id, name, created_at: created, metadata } of versions) {
      this.#ids.set(name, id);
      const time = Date.parse(created);
      const tags = metadata?.container?.tags ?? [];
      found.push({ digest: name, tags, time: Number.isNaN(time) ? undefined : time });
    }
    return found;
  }

  async remove(digest: string, _: readonly string[], signal: AbortSignal): Promise<void> {
    const id = this.#ids.get(digest);
    if (id === undefined) return;
    await this.#github.delete(`${this.#base}/${id}`, NEEDS, signal);
  }

  /** Packages of organizations and of people have different addresses. */
  async #findBase(signal: AbortSignal): Promise<string> {
    const [owner = "", ...rest] = this.repository.path.split("/");
    const account = await this.#github.get<{ type?: string }>(
      `/users/${encodeURIComponent(owner)}`,
      NEEDS,
      signal,
    );
    if (account === undefined) throw this.#missing();
    const whose = account.type === "Organization" ? "orgs" : "users";
    const name = encodeURIComponent(rest.join("/"));
    return `/${whose}/${encodeURIComponent(owner)}/packages/container/${name}/versions`;
  }

  #missing(): UserError {
    const { host, path } = this.repository;
    return new UserError({
      title: "GitHub has no such package",
      cause: `${host}/${path}: GitHub's API answered 404, so there is none, or the token may not see it.`,
      remedy: `Check the name; the token needs ${NEEDS}.`,
    });
  }
}
