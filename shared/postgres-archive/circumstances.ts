import type { Isolation } from "../isolation/index.ts";
import type { BaseFacts } from "./read-base.ts";
import type { WalFindings } from "./read-wal.ts";
import { lsnText } from "./segment.ts";
import { momentText } from "./target.ts";

/** What a physical backup is, for a report: facts by name. */
export function circumstancesOf(
  { label, major, files }: BaseFacts,
  wal: WalFindings | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(label !== undefined && {
      "base backup": `PostgreSQL ${major}, ${files === undefined ? "" : `${files} files, `}${label.label}, begun at ${label.began}, WAL ${lsnText(label.start)}`,
    }),
    ...(wal !== undefined && {
      wal: `${wal.segments} segments, ${wal.records} records and ${wal.commits} commits from ${lsnText(wal.start)} to ${lsnText(wal.end)}, on timeline ${wal.timeline}`,
    }),
    ...(wal?.last !== undefined && { "last transaction": momentText(wal.last.time) }),
  };
}

/** `with no network, …; without …, for …`: one line for a report. */
export function isolationInWords({ safeguards }: Isolation): string {
  const had = safeguards.filter((safeguard) => safeguard.had).map(({ name }) => name);
  const missed = safeguards
    .filter((safeguard) => !safeguard.had)
    .map(({ name, detail }) => `without ${name} (${detail})`);
  return [...(had.length > 0 ? [`with ${had.join(", ")}`] : []), ...missed].join("; ");
}
