import type { Outcome } from "../../../shared/action/index.ts";
import { UserError } from "../../../shared/failure/index.ts";

const failure = new UserError({
  title: "No <b>rollout</b>",
  cause: "Pod *web* crashes.\n  second line",
  remedy: "Mend it.",
  evidence: "```\nbreaks out?",
});

interface SummaryCase {
  readonly name: string;
  readonly outcome: Outcome;
  readonly contains: readonly string[];
  readonly lacks: readonly string[];
}

export const failureSummaryCases: readonly SummaryCase[] = [
  {
    name: "a success has the use case's own",
    outcome: { outputs: {}, summary: "## ✅ fine\n" },
    contains: ["## ✅ fine"],
    lacks: ["❌"],
  },
  {
    name: "a failure without Markdown of its own gets all that is known",
    outcome: { outputs: {}, summary: " \n", failure },
    contains: [
      "## ❌ probe: No &lt;b&gt;rollout&lt;/b&gt;",
      "Pod \\*web\\* crashes.\n\nsecond line\n",
      "**What to do:** Mend it.",
      "````\n```\nbreaks out?\n````",
    ],
    lacks: ["<b>", "### "],
  },
  {
    name: "Markdown that does not tell the cause is completed",
    outcome: { outputs: {}, summary: "## ❌ a table\n", failure },
    contains: ["## ❌ a table\n\n### ❌ No", "Pod \\*web\\* crashes.", "Mend it."],
    lacks: [],
  },
  {
    name: "Markdown that tells the cause is left alone",
    outcome: { outputs: {}, summary: "## ❌ Pod \\*web\\* crashes.\n", failure },
    contains: ["## ❌ Pod \\*web\\* crashes.\n"],
    lacks: ["###"],
  },
];
