import { nameOf, type Repository } from "../../shared/images/index.ts";
import {
  bytesFreed,
  deletionGroups,
  type Judged,
  judge,
  type Rules,
  type Stored,
} from "../../shared/retention/index.ts";
import type { Contents } from "./read-repository.ts";
import type { Uses } from "./uses.ts";

/** What becomes of a repository. */
export interface Judgement {
  readonly repository: Repository;
  readonly contents: Contents;
  readonly judged: readonly Judged[];
  /** What is to be deleted, image by image. */
  readonly groups: readonly (readonly Stored[])[];
}

/** Decides for one repository. */
export function judgementOf(
  repository: Repository,
  contents: Contents,
  uses: Uses,
  rules: Rules,
): Judgement {
  const judged = judge(contents.stored, uses.of(repository), rules);
  return { repository, contents, judged, groups: deletionGroups(judged) };
}

/** Images that are in use and that no repository has any longer, and who uses them. */
export function missingOf(judgements: readonly Judgement[], uses: Uses): readonly string[] {
  return judgements.flatMap(({ repository, contents }) => {
    const tags = new Set(contents.stored.flatMap((stored) => stored.tags));
    return uses.of(repository).flatMap(({ tag, by }) => {
      const gone = tag !== undefined && !tags.has(tag);
      return gone ? `${nameOf(repository)}:${tag}, used by ${by}` : [];
    });
  });
}

/** What a clean-up of the registries can give free, in bytes. Registries share no blobs. */
export function freedBy(judgements: readonly Judgement[]): number {
  const byHost = Map.groupBy(judgements, ({ repository }) => repository.host).values();
  return byHost
    .map((each) => bytesFreed(each.flatMap(({ judged }) => judged)))
    .reduce((sum, bytes) => sum + bytes, 0);
}
