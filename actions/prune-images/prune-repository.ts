import type { Registries } from "../../shared/registry/index.ts";
import type { Stored } from "../../shared/retention/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Catalogue } from "./catalogue.ts";
import { contentsOf, decide, type Grounds } from "./decide.ts";
import { type Deletions, deleteGroups } from "./delete.ts";
import type { Judgement } from "./judgement.ts";
import { type Proof, prove } from "./prove.ts";

/** A repository, and what was done to it; nothing where it was only looked at. */
export interface Pruned {
  readonly judgement: Judgement;
  readonly deletions?: Deletions;
  /** Undefined where it was not checked. */
  readonly proof?: Proof | undefined;
  /** Images that were to be deleted, and were needed again at the second look. */
  readonly spared?: number;
}

/**
 * Looks at a repository once more, deletes what both looks want deleted, and has the registry say
 * what is there now. What was tagged or pushed since the first look protects what it needs.
 *
 * @param openAnew registries that have seen nothing yet: what one has seen, it may not ask for again.
 */
export async function pruneRepository(
  catalogue: Catalogue,
  judgement: Judgement,
  grounds: Grounds,
  openAnew: () => Promise<Registries>,
  world: World,
): Promise<Pruned> {
  const { signal } = world;
  if (signal.aborted || judgement.groups.length === 0) return { judgement };
  const again = await lookAgain(catalogue, grounds);
  if (again === undefined) {
    return { judgement, deletions: { deleted: [], failures: [], left: judgement.groups.length } };
  }
  const { groups, spared } = inBoth(judgement, again);
  const deletions = await deleteGroups(groups, catalogue, world);
  if (signal.aborted || deletions.deleted.length === 0) return { judgement, deletions, spared };
  using registries = await openAnew();
  const registry = await registries.of(catalogue.repository.host);
  const proof = await prove(again, deletions.deleted, registry, signal).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  return { judgement, deletions, proof, spared };
}

/** Undefined when the job was cancelled meanwhile. */
async function lookAgain(catalogue: Catalogue, grounds: Grounds): Promise<Judgement | undefined> {
  try {
    return await decide(catalogue, await contentsOf(catalogue, grounds), grounds);
  } catch (error) {
    if (grounds.signal.aborted) return undefined;
    throw error;
  }
}

/** What both looks want deleted, and how many images only the first one did. */
function inBoth(
  first: Judgement,
  second: Judgement,
): { readonly groups: readonly (readonly Stored[])[]; readonly spared: number } {
  const tagsOf = ({ tags }: Stored) => tags.toSorted().join();
  const wanted = new Map(first.groups.flat().map((stored) => [stored.digest, tagsOf(stored)]));
  const groups = second.groups.filter((group) =>
    group.every((stored) => wanted.get(stored.digest) === tagsOf(stored)),
  );
  return { groups, spared: first.groups.length - groups.length };
}
