import type { Outcome } from "../../shared/action/index.ts";
import { code, codeBlock, escapeMarkdown, table } from "../../shared/report/index.ts";
import { matrixOf } from "./images.ts";
import type { OutputName } from "./inputs.ts";
import { seconds } from "./narrator.ts";
import type { Passage } from "./result.ts";
import type { Step } from "./step.ts";

/** What would be done, with nothing built, pushed or tagged. */
export function planOutcome(
  passages: readonly Passage[],
  { world, began, order }: Step,
): Outcome<OutputName> {
  const elapsed = world.clock.now() - began;
  const builds = passages.filter(({ decision }) => decision.kind === "build");
  for (const { service, decision } of passages) {
    world.log.info(`${service.name}: would be ${verb(decision.kind)}: ${decision.why.join("; ")}`);
  }
  return {
    outputs: {
      changed: builds.map(({ service }) => service.name),
      matrix: matrixOf(passages),
      seconds: Number((elapsed / 1_000).toFixed(1)),
    },
    summary: [
      `## ✅ A plan: ${builds.length} of ${passages.length} would be built; nothing was done\n`,
      codeBlock(flow(passages), "mermaid"),
      table(
        ["Service", "Would be", "Why", "Image before", "Tags"],
        passages.map(({ service, decision, before }) => [
          code(service.name),
          verb(decision.kind),
          escapeMarkdown(decision.why.join("; ")),
          before === undefined ? "" : code(before.reference),
          service.tags.map(code).join(", "),
        ]),
      ),
      ...order.notes.map((note) => `> ${escapeMarkdown(note)}\n`),
      `Made in ${seconds(elapsed)}.\n`,
    ].join("\n"),
  };
}

function verb(kind: Passage["decision"]["kind"]): string {
  if (kind === "build") return "built";
  return kind === "reuse" ? "reused" : "left as it is";
}

function flow(passages: readonly Passage[]): string {
  const lines = passages.map(
    ({ service, decision }, at) =>
      `  sources --> s${at}["${service.name.replace(/[^\w./-]/g, "")}"] --> ${decision.kind}`,
  );
  return [
    "flowchart LR",
    ...lines,
    '  build["build, gate, tag"]',
    '  reuse["tag again"]',
    '  keep["leave"]',
  ].join("\n");
}
