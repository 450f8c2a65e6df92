import { nameOf } from "../kubernetes/index.ts";
import { codeBlock, details } from "../report/index.ts";
import type { Counts, Difference, ObjectChange } from "./difference.ts";
import { differenceLines } from "./text.ts";

export interface Presentation {
  /** Objects of another namespace, and those of the cluster, are told with it. */
  readonly namespace?: string | undefined;
  /** The most bytes that it may take: the whole summary of a step is limited to 1 MiB. */
  readonly limit?: number;
}

const LIMIT_BYTES = 300_000;
const ORDER = ["removed", "changed", "added"];

/** The difference for a job summary: counts, and a folded block for every object that changes. */
export function differenceMarkdown(
  { objects, counts }: Difference,
  { namespace, limit = LIMIT_BYTES }: Presentation = {},
): string {
  const changing = objects
    .filter(({ change }) => change !== "unchanged")
    .sort((a, b) => ORDER.indexOf(a.change) - ORDER.indexOf(b.change));
  const parts = [`### What changes: ${countsText(counts)}\n`];
  let size = 0;
  let shown = 0;
  for (const object of changing) {
    const block = blockOf(object, namespace);
    size += Buffer.byteLength(block);
    if (size > limit) break;
    parts.push(block);
    shown += 1;
  }
  const rest = changing.slice(shown);
  if (rest.length > 0) parts.push(restOf(rest, namespace, limit));
  return parts.join("\n");
}

/** `2 changed, 1 added, 14 unchanged` */
export function countsText({ added, changed, removed, unchanged }: Counts): string {
  const words = [
    [removed, "removed"],
    [changed, "changed"],
    [added, "added"],
    [unchanged, "unchanged"],
  ] as const;
  const told = words.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return told.length === 0 ? "nothing" : told.join(", ");
}

/** `deployment/web changes at 2 places` */
export function headlineOf(object: ObjectChange, namespace?: string): string {
  const where =
    object.namespace === undefined || object.namespace === namespace
      ? ""
      : ` in namespace ${object.namespace}`;
  const name = `${nameOf(object)}${where}`;
  if (object.change === "changed") {
    const count = object.fields.length;
    return `${name} changes at ${count} place${count === 1 ? "" : "s"}`;
  }
  return { added: `${name} is new`, removed: `${name} is deleted`, unchanged: `${name} stays` }[
    object.change
  ];
}

function blockOf(object: ObjectChange, namespace: string | undefined): string {
  const note = object.note === undefined ? "" : ` (${object.note})`;
  const lines = differenceLines(object).join("\n");
  return details(`${headlineOf(object, namespace)}${note}`, codeBlock(lines, "diff"));
}

/** Of those for which there is no room, at least the names. */
function restOf(rest: readonly ObjectChange[], namespace: string | undefined, limit: number) {
  const most = Math.max(10, Math.floor(limit / 1_000));
  const names = rest.slice(0, most).map((object) => headlineOf(object, namespace));
  const more = rest.length - names.length;
  const lines = more === 0 ? names : [...names, `... and ${more} more`];
  return details(`${rest.length} more, without room to show them`, codeBlock(lines.join("\n")));
}
