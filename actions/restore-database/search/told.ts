import type { Finding, Item } from "../../../shared/proof/index.ts";
import {
  type IndexFingerprint,
  indicesOf,
  type Occupants,
} from "../../../shared/search-cluster/index.ts";
import type { Restored } from "../restored.ts";
import type { IndicesRestore } from "./restore.ts";

interface Result {
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  readonly seconds: number;
}

/** What came of a restore of indices, as the step tells it. */
export function told(
  restore: IndicesRestore,
  { findings, items, seconds }: Result,
  isSwitched: boolean,
  isTouched: boolean,
): Restored {
  const { plan, cluster, previousBackup } = restore;
  const names = [...plan.indices, ...plan.streams].map(({ name }) => name);
  const what = names.length === 1 ? `index ${names[0]}` : `${names.length} indices`;
  return {
    ...{ target: `${what} of ${cluster.place}`, unit: "documents", findings, items },
    ...{ unknown: unknownOf(restore), restoreSeconds: seconds, isSwitched, isTouched },
    ...{ previousBackup, previousDatabase: undefined },
  };
}

function unknownOf({ plan, expected }: IndicesRestore): string[] {
  const all = indicesOf(plan);
  const unread = all.filter(({ content }) => content === undefined);
  const moving = all.filter(({ later }) => later !== undefined);
  return [
    ...unread.map(
      ({ name }) =>
        `Whether the documents of ${name} have the content they had: it keeps no _source.`,
    ),
    ...moving.map(
      ({ name }) =>
        `The content of those documents of ${name} that were written to while the snapshot was taken.`,
    ),
    ...(expected.globalState
      ? []
      : ["Pipelines, templates and settings of the cluster are not restored."]),
  ];
}

/**
 * The aliases that an index gets: those of the backup, and those of the index whose place it takes,
 * for that is how it is reached. One that another index has by now is left there.
 */
export function aliasesFor(
  { name, aliases }: Pick<IndexFingerprint, "name" | "aliases">,
  { indices, aliasesElsewhere }: Pick<Occupants, "indices" | "aliasesElsewhere">,
): { readonly aliases: Readonly<Record<string, unknown>>; readonly left: readonly Finding[] } {
  const former = indices.get(name) ?? {};
  const given: Record<string, unknown> = { ...former };
  const left: Finding[] = [];
  for (const [alias, definition] of Object.entries(aliases)) {
    if (alias in former) continue;
    if (!aliasesElsewhere.has(alias)) {
      given[alias] = definition;
      continue;
    }
    const what = `Its alias ${alias} is one of another index by now, and was left there.`;
    left.push({
      ...{ detector: "alias", tier: "data", weight: "note", subject: `index ${name}`, what },
    });
  }
  return { aliases: given, left };
}
