import type { UserError } from "../../shared/failure/index.ts";
import { nameOf } from "../../shared/images/index.ts";
import { timeline } from "../../shared/journal/index.ts";
import { bytesInWords } from "../../shared/quantity/index.ts";
import { code, codeBlock, details, escapeMarkdown, table } from "../../shared/report/index.ts";
import { type Judged, short } from "../../shared/retention/index.ts";
import type { Pruned } from "./prune-repository.ts";
import type { DeletedImage, Story } from "./story.ts";

const MOST_ROWS = 200;

/** What the outcome has worked out. */
export interface Told {
  readonly images: readonly DeletedImage[];
  readonly freed: number;
  readonly kept: number;
  readonly missing: readonly string[];
  readonly seconds: number;
  readonly failure: UserError | undefined;
}

/** The job summary: verdict, a picture of why images are kept, then what was deleted and kept. */
export function summarize(pruned: readonly Pruned[], told: Told, story: Story): string {
  const { images, missing, seconds, failure } = told;
  const parts = [heading(told, story)];
  if (failure !== undefined) {
    parts.push(...failure.cause.split("\n").map((line) => `${escapeMarkdown(line)}\n`));
    parts.push(`**What to do:** ${escapeMarkdown(failure.remedy)}\n`);
  }
  parts.push(picture(pruned, images.length), repositories(pruned));
  const places = story.told.map((sentence) => `- ${escapeMarkdown(sentence)}`);
  parts.push(
    `**What is in use was looked for in:**\n\n${places.join("\n") || "- nothing: no place was named"}\n`,
  );
  const notes = [...story.notes, ...missing.map((one) => `${one}, is not in the registry`)];
  if (notes.length > 0) parts.push(`⚠️ ${notes.map(escapeMarkdown).join("\n\n⚠️ ")}\n`);
  parts.push(deletedTable(images, story), ...pruned.map(keptTable));
  parts.push(timeline("prune", story.journal.phases, seconds));
  return parts.join("\n");
}

function heading({ images, freed, failure }: Told, { options }: Story): string {
  if (failure !== undefined) return `## ❌ ${escapeMarkdown(failure.title)}\n`;
  const count = images.length === 1 ? "1 image" : `${images.length} images`;
  const bytes = `${bytesInWords(freed)} that only they hold`;
  if (options.mode === "dry-run") {
    return `## ✅ Dry run: ${count} would be deleted, ${bytes}\n\nNothing was deleted. \`mode: delete\` does it.\n`;
  }
  return `## ✅ ${count} deleted, ${bytes}\n\nThe registry gives the room free at its next clean-up.\n`;
}

/** How many images are kept, by the first reason of each. */
function picture(pruned: readonly Pruned[], deleted: number): string {
  const counts = new Map<string, number>();
  for (const { judged } of pruned.map(({ judgement }) => judgement)) {
    for (const { keep, reasons, stored } of judged) {
      if (!keep || stored.tags.length === 0) continue;
      const why = classOf(reasons[0] ?? "");
      counts.set(why, (counts.get(why) ?? 0) + 1);
    }
  }
  if (deleted > 0) counts.set("to be deleted", deleted);
  if (counts.size === 0) return "";
  const slices = [...counts].map(([why, count]) => `  "${why}" : ${count}`);
  return codeBlock(["pie showData", "  title Images with tags", ...slices].join("\n"), "mermaid");
}

function classOf(reason: string): string {
  if (reason.startsWith("in use")) return "in use";
  if (reason.startsWith("one of the newest")) return "among the newest";
  if (reason.startsWith("tag ")) return "tag to be kept";
  if (reason.includes("too young")) return "too young";
  if (reason.startsWith("its age")) return "age not known";
  return "belongs to something kept, or no image";
}

function repositories(pruned: readonly Pruned[]): string {
  const head = ["Repository", "Manifests", "Images deleted", "Left", "Proved", "Ages from"];
  const rows = pruned.map(({ judgement, deletions, proof }) => {
    const { repository, contents, judged, groups } = judgement;
    const proved =
      proof === undefined
        ? "not checked"
        : `${proof.asked} manifests and blobs of what is kept are there`;
    return [
      code(nameOf(repository)),
      `${judged.length}`,
      `${deletions === undefined ? `${groups.length} to be` : groups.length - deletions.left - deletions.failures.length}`,
      `${deletions?.left ?? 0}`,
      proof !== undefined && proof.broken.length + proof.remaining.length > 0 ? "❌" : proved,
      contents.timedBy === "registry" ? "the registry" : "the images themselves",
    ];
  });
  return table(head, rows);
}

function deletedTable(images: readonly DeletedImage[], { options }: Story): string {
  if (images.length === 0) return "";
  const rows = images
    .slice(0, MOST_ROWS)
    .map(({ repository, digest, tags, created, parts }) => [
      code(repository),
      code(short(digest)),
      tags.map(code).join(" "),
      created.slice(0, 10),
      `${parts}`,
    ]);
  const head = ["Repository", "Digest", "Tags", "Created", "With it"];
  const title = options.mode === "dry-run" ? "Would be deleted" : "Deleted";
  return details(`${title}: ${images.length}${cutNote(images.length)}`, table(head, rows));
}

function keptTable({ judgement: { repository, judged } }: Pruned): string {
  const kept = judged.filter(({ keep, stored }) => keep && stored.tags.length > 0);
  if (kept.length === 0) return "";
  const rows = kept
    .slice(0, MOST_ROWS)
    .map(({ stored, reasons }: Judged) => [
      code(short(stored.digest)),
      stored.tags.map(code).join(" "),
      stored.time === undefined ? "" : new Date(stored.time).toISOString().slice(0, 10),
      escapeMarkdown(reasons.slice(0, 3).join("; ")),
    ]);
  const head = ["Digest", "Tags", "Created", "Kept because"];
  const title = `Kept in ${nameOf(repository)}: ${kept.length}${cutNote(kept.length)}`;
  return details(title, table(head, rows));
}

function cutNote(count: number): string {
  return count > MOST_ROWS ? ` (the first ${MOST_ROWS} shown; all are in the report)` : "";
}
