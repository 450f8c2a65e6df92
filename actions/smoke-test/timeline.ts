import { codeBlock } from "../../shared/report/index.ts";
import type { Report } from "./report.ts";

const MOST_BARS = 30;

/** A Gantt chart of Mermaid: a section for each target, a bar for each check. */
export function timeline({ checks, seconds }: Report): string {
  const shown = checks.slice(0, MOST_BARS);
  const sections = Map.groupBy(shown, ({ target }) => target);
  const lines = [...sections].flatMap(([target, bars]) => [
    `  section ${label(target)}`,
    ...bars.map(({ name, passed, answer, from, seconds: to }) => {
      const start = Math.round(from * 1_000);
      // A bar of no length is not drawn.
      const end = Math.max(Math.round(to * 1_000), start + 1);
      const text = label(`${passed ? "✅" : "❌"} ${name}, ${answer ?? "no answer"}`);
      return `  ${text} :${passed ? "done" : "crit"}, ${start}, ${end}`;
    }),
  ]);
  const left = checks.length - shown.length;
  const more = left > 0 ? `, the first ${MOST_BARS} of ${checks.length} checks` : "";
  const chart = [
    "gantt",
    `  title ${seconds.toFixed(1)} s${more}`,
    "  dateFormat x",
    "  axisFormat %M:%S",
    ...lines,
  ];
  return codeBlock(chart.join("\n"), "mermaid");
}

/** Text of a chart: what the chart's own grammar uses becomes a blank. */
function label(text: string): string {
  const plain = text.replace(/[^\p{L}\p{N}\p{Extended_Pictographic} ./,_()@=-]+/gu, " ");
  return plain.replace(/\s+/g, " ").trim().slice(0, 80) || "check";
}
