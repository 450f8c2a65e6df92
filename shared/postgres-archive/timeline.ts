import { type Lsn, parseLsn } from "./segment.ts";

/** A stretch of the log that belongs to one timeline. */
export interface Stretch {
  readonly timeline: number;
  /** Where it begins: the switch from its parent; 0 for the first. */
  readonly from: Lsn;
  /** Where the next one begins; undefined for the last. */
  readonly to: Lsn | undefined;
}

/**
 * The stretches of a timeline, oldest first, by its history file; undefined where that is broken.
 *
 * Source: src/backend/access/transam/timeline.c, readTimeLineHistory.
 *
 * @param history the text of the file; undefined for a timeline that has none, the first.
 */
export function stretchesOf(
  timeline: number,
  history: string | undefined,
): readonly Stretch[] | undefined {
  const stretches: Stretch[] = [];
  let from = 0;
  for (const line of (history ?? "").split("\n")) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    const [parent = "", at = ""] = text.split(/\s+/);
    const to = parseLsn(at);
    const number = /^\d+$/.test(parent) ? Number(parent) : undefined;
    const last = stretches.at(-1)?.timeline ?? 0;
    if (
      number === undefined ||
      to === undefined ||
      number <= last ||
      number >= timeline ||
      to < from
    )
      return undefined;
    stretches.push({ timeline: number, from, to });
    from = to;
  }
  return [...stretches, { timeline, from, to: undefined }];
}
