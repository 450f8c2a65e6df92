import type { Registries } from "../../shared/registry/index.ts";
import type { Rules } from "../../shared/retention/index.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Judgement, judgementOf } from "./judgement.ts";
import { type Contents, readReferrers, readRepository } from "./read-repository.ts";
import type { Uses } from "./uses.ts";

/** What every decision of a step stands on. */
export interface Grounds {
  readonly uses: Uses;
  readonly rules: Rules;
  readonly registries: Registries;
  readonly signal: AbortSignal;
}

/** Reads a repository in full. */
export async function contentsOf(
  catalogue: Catalogue,
  { registries, signal }: Pick<Grounds, "registries" | "signal">,
): Promise<Contents> {
  const registry = await registries.of(catalogue.repository.host);
  return readRepository(catalogue, registry, signal);
}

/** Decides on a repository, asks what else hangs on what is to be deleted, and decides with that. */
export async function decide(
  catalogue: Catalogue,
  contents: Contents,
  { uses, rules, registries, signal }: Grounds,
): Promise<Judgement> {
  const { repository } = catalogue;
  const first = judgementOf(repository, contents, uses, rules);
  // Where a registry lists all that it has, it has listed these too.
  if (catalogue.listsUntagged) return first;
  const registry = await registries.of(repository.host);
  const known = new Set(contents.stored.map(({ digest }) => digest));
  const found = await readReferrers(catalogue, first.groups.flat(), registry, signal);
  const stored = [...contents.stored, ...found.filter(({ digest }) => !known.has(digest))];
  return judgementOf(repository, { ...contents, stored }, uses, rules);
}
