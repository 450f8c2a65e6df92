import type { UserError } from "../../shared/failure/index.ts";
import { type Journal, type Phase, timeline } from "../../shared/journal/index.ts";
import { bytesInWords } from "../../shared/quantity/index.ts";
import { code, codeBlock, details, escapeMarkdown, table } from "../../shared/report/index.ts";
import { seconds } from "./narrator.ts";
import type { Passage } from "./result.ts";

/** What the summary says beside the services. */
export interface Account {
  readonly pushed: boolean;
  readonly failure: UserError | undefined;
  /** Milliseconds. */
  readonly elapsed: number;
  /** When the step began, in epoch milliseconds. */
  readonly began: number;
  readonly journal: Pick<Journal, "phases">;
  /** What the reader should know beside the verdict. */
  readonly notes: readonly string[];
}

/** The job summary: verdict, picture of where the time went, table. */
export function summary(passages: readonly Passage[], account: Account): string {
  const { failure, notes, elapsed } = account;
  return [
    `## ${headline(passages, account)}\n`,
    failure === undefined ? "" : failureText(failure),
    timeline("build-push", bars(passages, account), elapsed / 1_000),
    table(
      ["Service", "", "Reference", "Platforms", "Size", "Time", "Steps cached", "Why", "Gate"],
      passages.map((passage) => row(passage, account.pushed)),
    ),
    ...notes.map((note) => `> ${escapeMarkdown(note)}\n`),
    failure?.evidence === undefined ? "" : details("Evidence", codeBlock(failure.evidence)),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function failureText({ cause, remedy }: UserError): string {
  const lines = cause.split("\n").map((line) => escapeMarkdown(line));
  return `${lines.join("<br>\n")}\n\n**What to do:** ${escapeMarkdown(remedy)}\n`;
}

function headline(passages: readonly Passage[], { pushed, failure, elapsed }: Account): string {
  if (failure !== undefined) return `❌ build-push: ${escapeMarkdown(failure.title)}`;
  const built = passages.filter((passage) => passage.built !== undefined).length;
  const reused = passages.length - built;
  const counts = [
    ...(built === 0 ? [] : [`${counted(built)} built`]),
    ...(reused === 0 ? [] : [`${counted(reused)} unchanged and reused`]),
  ].join(", ");
  return pushed
    ? `✅ ${counts}; all proven at the registry in ${seconds(elapsed)}`
    : `✅ ${counts} in ${seconds(elapsed)}; nothing was pushed, as asked`;
}

function counted(services: number): string {
  return `${services} service${services === 1 ? "" : "s"}`;
}

/** The phases of the step, and under the build each service's. */
function bars(passages: readonly Passage[], { journal, began }: Account): readonly Phase[] {
  const builds = passages.flatMap(({ service, built }) =>
    built === undefined
      ? []
      : [
          {
            name: `- ${service.name}`,
            from: Math.max(built.began - began, 0),
            to: Math.max(built.ended - began, 0),
            failed: built.failure !== undefined,
          },
        ],
  );
  const after = journal.phases.findIndex(({ name }) => name === "build");
  if (after === -1) return journal.phases;
  return [...journal.phases.slice(0, after + 1), ...builds, ...journal.phases.slice(after + 1)];
}

function row(passage: Passage, pushed: boolean): string[] {
  const { service, images, built, decision, gate, before } = passage;
  const [image] = images;
  return [
    code(service.name),
    state(passage, pushed),
    image === undefined ? "" : code(image.reference),
    image?.platforms.map(code).join(", ") ?? "",
    image === undefined ? "" : sizes(before?.size, image.size),
    built === undefined ? "" : seconds(built.ended - built.began),
    built === undefined ? "" : `${built.steps.cached} of ${built.steps.total}`,
    escapeMarkdown(decision.why.join("; ")),
    escapeMarkdown(gate.join("; ")),
  ];
}

function state({ failure, released, built, images }: Passage, pushed: boolean): string {
  if (failure !== undefined) return "❌ failed";
  if (!pushed) return "✅ built, not pushed";
  if (released) return built === undefined ? "♻️ reused" : "✅ built";
  return images.length > 0 ? "⏸️ proven, no tag moved" : "⏹️ not built";
}

function sizes(before: number | undefined, now: number): string {
  if (before === undefined || before === now) return bytesInWords(now);
  return `${bytesInWords(before)} → ${bytesInWords(now)}`;
}
