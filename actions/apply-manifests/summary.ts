import type { DeployFacts } from "../../shared/apply-set/index.ts";
import { sentence } from "../../shared/availability/index.ts";
import { differenceMarkdown } from "../../shared/diff/index.ts";
import type { UserError } from "../../shared/failure/index.ts";
import { type Journal, timeline } from "../../shared/journal/index.ts";
import { nameOf, type ResourceReport } from "../../shared/kubernetes/index.ts";
import { code, codeBlock, details, escapeMarkdown, table } from "../../shared/report/index.ts";
import type { ImageProof } from "../../shared/workload/index.ts";
import type { Options } from "./inputs.ts";

/** Of more, the ready ones are left out, then the rest. */
const MOST_ROWS = 100;

/** The job summary: the verdict, where the time went, then what changed and how it fared. */
export function summaryOf(
  options: Options,
  { phases }: Journal,
  facts: DeployFacts,
  failure: UserError | undefined,
  seconds: number,
): string {
  const { difference, notes } = facts;
  return [
    headline(options, facts, failure),
    failure === undefined ? "" : failureText(failure),
    timeline(options.name ?? "live", phases, seconds),
    resourceTable(facts),
    imageTable(facts.images),
    facts.availability === undefined ? "" : `${escapeMarkdown(sentence(facts.availability))}\n`,
    difference === undefined
      ? ""
      : differenceMarkdown(difference, { namespace: options.namespace }),
    goneText(facts),
    uncheckedText(facts),
    ...notes.map((note) => `> ${escapeMarkdown(note)}\n`),
    failure?.evidence === undefined ? "" : details("Evidence", codeBlock(failure.evidence)),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function headline(
  { name = "live", mode }: Options,
  facts: DeployFacts,
  failure: UserError | undefined,
): string {
  const set = escapeMarkdown(name);
  if (failure === undefined && mode === "plan") return `## 🔎 ${set}: what a deploy would change\n`;
  if (failure === undefined) {
    const count = facts.rollout?.resources.length ?? 0;
    const ready = count === 0 ? "nothing in it runs pods" : `${count} of ${count} ready`;
    const same = facts.unchanged ? ", as before" : "";
    return `## ✅ ${set} is at revision ${facts.running}${same}: ${ready}\n`;
  }
  const now = facts.running === undefined ? "" : `revision ${facts.running} is there`;
  const back = facts.rolledBack ? "put back" : "";
  const state = [back, now].filter((text) => text !== "").join(", ");
  return `## ❌ ${set}: ${escapeMarkdown(failure.title)}${state === "" ? "" : ` (${state})`}\n`;
}

function failureText({ cause, remedy }: UserError): string {
  const lines = cause.split("\n").map((line) => escapeMarkdown(line));
  return `${lines.join("<br>\n")}\n\n**What to do:** ${escapeMarkdown(remedy)}\n`;
}

function resourceTable({ rollout, recovery }: DeployFacts): string {
  if (rollout === undefined || rollout.resources.length === 0) return "";
  const { resources } = rollout;
  const notable = resources.filter(({ state }) => state !== "ready");
  const shown = (resources.length > MOST_ROWS ? notable : resources).slice(0, MOST_ROWS);
  const rows = shown.map((resource) => {
    const back = recovery?.resources.find(({ resource: name }) => name === resource.resource);
    const cells = [code(resource.resource), stateOf(resource)];
    return recovery === undefined ? cells : [...cells, back === undefined ? "" : stateOf(back)];
  });
  const head = ["Resource", recovery === undefined ? "State" : "New revision"];
  const rest = resources.length - shown.length;
  const all = table(recovery === undefined ? head : [...head, "After going back"], rows);
  return rest === 0 ? all : `${shown.length === 0 ? "" : all}\n${rest} more are not shown.\n`;
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

function goneText({ plan, pruned }: DeployFacts): string {
  if (plan === undefined || plan.gone.length === 0) return "";
  const names = plan.gone.map(({ kind, metadata }) => code(nameOf({ kind, name: metadata.name })));
  const done = `${pruned.length} of ${plan.gone.length} deleted`;
  return details(`In the set no more: ${done}`, names.join(", "));
}

function uncheckedText({ plan }: DeployFacts): string {
  const unchecked = plan?.objects.filter(({ deed }) => deed === "unchecked") ?? [];
  if (unchecked.length === 0) return "";
  const rows = unchecked.map(({ object: { kind, metadata }, note }) => [
    code(nameOf({ kind, name: metadata.name })),
    escapeMarkdown(note ?? ""),
  ]);
  return details(
    `Not checked against the cluster beforehand: ${unchecked.length}`,
    table(["Object", "Why"], rows.slice(0, MOST_ROWS)),
  );
}
