import type { Repository } from "../../shared/images/index.ts";

/** A manifest that a repository lists. */
export interface Listed {
  readonly digest: string;
  readonly tags: readonly string[];
  /** When the registry got it, in milliseconds since the Unix epoch; undefined where it does not say. */
  readonly time: number | undefined;
}

/** What a registry tells of a repository's contents, and how something is deleted there. */
export interface Catalogue {
  readonly repository: Repository;
  /** Whether it lists what has no tag. */
  readonly listsUntagged: boolean;
  list(signal: AbortSignal): Promise<readonly Listed[]>;
  /**
   * Deletes a manifest, and with it its tags. What is gone already is no failure.
   *
   * @throws {NotDeletable} when the registry deletes nothing at all, or not for us.
   * @throws {UserError} when it does not delete this one.
   */
  remove(digest: string, tags: readonly string[], signal: AbortSignal): Promise<void>;
}
