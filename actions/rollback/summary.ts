import { sentence } from "../../shared/availability/index.ts";
import { differenceMarkdown } from "../../shared/diff/index.ts";
import type { UserError } from "../../shared/failure/index.ts";
import { type Journal, timeline } from "../../shared/journal/index.ts";
import { code, codeBlock, details, escapeMarkdown, table } from "../../shared/report/index.ts";
import type { Facts } from "./facts.ts";
import type { Options } from "./inputs.ts";

/** The job summary: the verdict, where the time went, what changed, and who did it. */
export function summaryOf(
  options: Options,
  { phases }: Journal,
  facts: Facts,
  failure: UserError | undefined,
  seconds: number,
): string {
  const { way, difference, users, record } = facts;
  return [
    headline(options, facts, failure),
    failure === undefined ? "" : failureText(failure),
    users === undefined ? "" : `${escapeMarkdown(sentence(users))}\n`,
    timeline(way?.subject ?? "rollback", phases, seconds),
    `${escapeMarkdown(`By ${record.by}: ${record.reason}`)}\n`,
    ...(way?.notes ?? []).map((note) => `> ${escapeMarkdown(note)}\n`),
    resourceTable(facts),
    difference === undefined
      ? ""
      : differenceMarkdown(difference, { namespace: options.namespace }),
    failure?.evidence === undefined ? "" : details("Evidence", codeBlock(failure.evidence)),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function headline(
  { mode }: Options,
  { way, touched }: Facts,
  failure: UserError | undefined,
): string {
  const subject = escapeMarkdown(way?.subject ?? "The rollback");
  if (failure !== undefined) {
    const untouched = touched ? "" : " (nothing was changed)";
    return `## ❌ ${subject}: ${escapeMarkdown(failure.title)}${untouched}\n`;
  }
  const path = `from ${escapeMarkdown(way?.from ?? "")} to ${escapeMarkdown(way?.to ?? "")}`;
  return mode === "plan"
    ? `## 📋 ${subject} could go ${path}\n`
    : `## ✅ ${subject} went back ${path}, and runs\n`;
}

function failureText({ cause, remedy }: UserError): string {
  const lines = cause.split("\n").map((line) => escapeMarkdown(line));
  return `${lines.join("<br>\n")}\n\n**What to do:** ${escapeMarkdown(remedy)}\n`;
}

const SIGNS = { ready: "✅", progressing: "⏳", failing: "⚠️", failed: "❌" };

function resourceTable({ rollout, images, presence }: Facts): string {
  const resources = (rollout?.resources ?? []).map(({ resource, state, cause, missing }) => [
    code(resource),
    `${SIGNS[state]} ${state}`,
    escapeMarkdown(cause?.message ?? missing.join("; ")),
  ]);
  const proofs = images.map(({ service, verdict, proved, containers, detail }) => [
    code(service),
    verdict === "proved" ? "✅ proved" : "❔ not checked",
    verdict === "proved"
      ? `${proved} of ${containers} containers run its digest`
      : escapeMarkdown(detail),
  ]);
  const unknown = presence
    .filter(({ state }) => state === "unknown")
    .map(({ image, why }) => [code(image), "❔ not checked", escapeMarkdown(why ?? "")]);
  const rows = [...resources, ...proofs, ...unknown];
  return rows.length === 0 ? "" : table(["What", "State", ""], rows);
}
