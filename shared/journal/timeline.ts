import { codeBlock } from "../report/index.ts";
import type { Phase } from "./journal.ts";

/**
 * A Gantt chart of the phases as a block of Mermaid; its times count from the beginning. Empty
 * where nothing was done.
 *
 * @param subject what was worked on; letters, digits, points and hyphens of it are shown.
 */
export function timeline(subject: string, phases: readonly Phase[], seconds: number): string {
  if (phases.length === 0) return "";
  const bars = phases.map(({ name, from, to, failed }) => {
    const length = ((to - from) / 1_000).toFixed(1);
    // A bar of no length is not drawn.
    return `  ${name} ${length} s :${failed ? "crit" : "done"}, ${from}, ${Math.max(to, from + 1)}`;
  });
  const chart = [
    "gantt",
    `  title ${subject.replace(/[^\w.-]/g, "")}, ${seconds.toFixed(1)} s`,
    "  dateFormat x",
    "  axisFormat %M:%S",
    ...bars,
  ];
  return codeBlock(chart.join("\n"), "mermaid");
}
