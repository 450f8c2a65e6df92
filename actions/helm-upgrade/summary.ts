import { sentence } from "../../shared/availability/index.ts";
import { countsText, differenceMarkdown } from "../../shared/diff/index.ts";
import type { UserError } from "../../shared/failure/index.ts";
import { type Journal, timeline } from "../../shared/journal/index.ts";
import type { ResourceReport } from "../../shared/kubernetes/index.ts";
import { code, codeBlock, details, escapeMarkdown, table } from "../../shared/report/index.ts";
import type { ImageProof } from "../../shared/workload/index.ts";
import type { Facts } from "./facts.ts";
import type { Options } from "./inputs.ts";

/** The job summary: the verdict, where the time went, then what was looked at. */
export function summaryOf(
  options: Options,
  { phases }: Journal,
  facts: Facts,
  failure: UserError | undefined,
  seconds: number,
): string {
  return [
    headline(options, facts, failure),
    failure === undefined ? "" : failureText(failure),
    timeline(options.release, phases, seconds),
    resourceTable(facts),
    imageTable(facts.images),
    facts.availability === undefined ? "" : `${escapeMarkdown(sentence(facts.availability))}\n`,
    ...facts.notes.map((note) => `> ${escapeMarkdown(note)}\n`),
    facts.difference === undefined
      ? ""
      : differenceMarkdown(facts.difference, { namespace: options.namespace }),
    failure?.evidence === undefined ? "" : details("Evidence", codeBlock(failure.evidence)),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function headline(options: Options, facts: Facts, failure: UserError | undefined): string {
  const name = escapeMarkdown(options.release);
  if (failure === undefined && options.mode === "plan") {
    const { difference } = facts;
    const what = difference === undefined ? "" : countsText(difference.counts);
    return `## ✅ ${name}: a plan, nothing was changed: ${what}\n`;
  }
  if (failure === undefined) {
    const count = facts.rollout?.resources.length ?? 0;
    const ready = count === 0 ? "nothing in it runs pods" : `${count} of ${count} ready`;
    return `## ✅ ${name} is at revision ${facts.running}: ${ready}\n`;
  }
  const now =
    facts.running === undefined
      ? facts.rolledBack
        ? "nothing is installed"
        : ""
      : `revision ${facts.running} is deployed`;
  const back = facts.rolledBack && facts.running !== undefined ? "rolled back, " : "";
  return `## ❌ ${name}: ${escapeMarkdown(failure.title)}${now === "" ? "" : ` (${back}${now})`}\n`;
}

function failureText({ cause, remedy }: UserError): string {
  const lines = cause.split("\n").map((line) => escapeMarkdown(line));
  return `${lines.join("<br>\n")}\n\n**What to do:** ${escapeMarkdown(remedy)}\n`;
}

function resourceTable({ rollout, recovery }: Facts): string {
  if (rollout === undefined || rollout.resources.length === 0) return "";
  const rows = rollout.resources.map((resource) => {
    const back = recovery?.resources.find(({ resource: name }) => name === resource.resource);
    const cells = [code(resource.resource), stateOf(resource)];
    return recovery === undefined ? cells : [...cells, back === undefined ? "" : stateOf(back)];
  });
  const head = ["Resource", recovery === undefined ? "State" : "New revision"];
  return table(recovery === undefined ? head : [...head, "After the rollback"], rows);
}

function stateOf({ state, cause, missing }: ResourceReport): string {
  const sign = { ready: "✅", progressing: "⏳", failing: "⚠️", failed: "❌" }[state];
  const why = cause?.reason ?? missing.join("; ");
  return `${sign} ${state}${state === "ready" || why === "" ? "" : `: ${escapeMarkdown(why)}`}`;
}

function imageTable(images: readonly ImageProof[]): string {
  if (images.length === 0) return "";
  const sign = { proved: "✅", wrong: "❌", "not-checked": "❔" };
  const rows = images.map(({ service, digest, verdict, proved, containers, detail }) => [
    code(service),
    code(digest.slice(0, 19)),
    verdict === "proved"
      ? `${sign.proved} ${proved} of ${containers} containers run it`
      : `${sign[verdict]} ${verdict === "wrong" ? "wrong" : "not checked"}: ${escapeMarkdown(detail)}`,
  ]);
  return table(["Image", "Digest", "Running"], rows);
}
