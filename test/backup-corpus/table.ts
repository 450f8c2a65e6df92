import type { Tier } from "../../shared/proof/index.ts";
import { isRight, type Result } from "./case.ts";

const TIERS: readonly Tier[] = ["integrity", "data", "full"];
const LEVELS = ["file", "dump", "source"] as const;

/** What the corpus says, as pages of Markdown: the sums, detectors against faults, every case. */
export function tableOf(results: readonly Result[]): string {
  const faults = results.filter((result) => result.case.harms);
  const benign = results.filter((result) => !result.case.harms);
  return [
    "### Sums",
    sums(faults, benign),
    "### Detectors against faults",
    "How many faults of a level each detector noticed; several may notice the same one.",
    detectors(faults),
    "### Every fault",
    rows(faults),
    "### What must not alarm",
    rows(benign),
  ].join("\n\n");
}

function sums(faults: readonly Result[], benign: readonly Result[]): string {
  const lines = TIERS.map((tier) => {
    const of = faults.filter((result) => result.case.tier === tier);
    return [`faults that \`${tier}\` claims`, of.length, of.filter(isRight).length] as const;
  });
  return table(
    ["What", "Cases", "Right verdicts"],
    [...lines, ["harmless differences, at `full`", benign.length, benign.filter(isRight).length]],
  );
}

function detectors(faults: readonly Result[]): string {
  const names = [...new Set(faults.flatMap((result) => result.detectors))].toSorted();
  const lines = names.map((name) => {
    const noticed = faults.filter((result) => result.detectors.includes(name));
    const alone = noticed.filter((result) => result.detectors.length === 1).length;
    const byLevel = LEVELS.map((level) => noticed.filter((one) => one.case.level === level).length);
    return [`\`${name}\``, ...byLevel, noticed.length, alone];
  });
  return table(["Detector", ...LEVELS.map((level) => `${level} level`), "all", "alone"], lines);
}

function rows(results: readonly Result[]): string {
  return table(
    ["Format", "Level", "What was done", "Tier", "Verdict", "Noticed by"],
    results.map((result) => {
      const { format, level, name, tier } = result.case;
      const verdict = isRight(result) ? result.verdict : `**${result.verdict}**`;
      return [format, level, name, tier, verdict, result.detectors.join(", ")];
    }),
  );
}

function table(
  heading: readonly string[],
  lines: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(heading), line(heading.map(() => "---")), ...lines.map(line)].join("\n");
}
