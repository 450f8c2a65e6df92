import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  corpus,
  isRight,
  type Result as Outcome,
  runCases,
  Scene,
} from "../backup-corpus/index.ts";
import { tableOf } from "../backup-corpus/table.ts";
import type { Bench } from "./results.ts";

const PAGE = join(import.meta.dirname, "../../docs/backup-corpus.md");
const BEGINS = "<!-- table -->";
const ENDS = "<!-- /table -->";
const LEAST_FAULTS = 120;
const LEAST_BENIGN = 25;

/**
 * Every fault and every harmless difference through the bundled verify-backup; the table goes into
 * the documentation where SEAWORTHY_UPDATE_SNAPSHOTS is set.
 */
export const backupCorpus: Bench = async (log) => {
  await using scene = await Scene.build();
  const results = await runCases(corpus, scene, (result) => {
    if (!isRight(result)) log(`${result.case.name}: ${result.verdict}\n${result.words.join("\n")}`);
  });
  const table = tableOf(results);
  log(table);
  if (process.env.SEAWORTHY_UPDATE_SNAPSHOTS) document(table);
  const faults = results.filter((result) => result.case.harms);
  const benign = results.filter((result) => !result.case.harms);
  const count = { unit: "cases" };
  return [
    { ...count, name: "faults", value: faults.length, target: LEAST_FAULTS, bound: "least" },
    { ...count, name: "caught", value: right(faults), target: faults.length, bound: "least" },
    { ...count, name: "benign", value: benign.length, target: LEAST_BENIGN, bound: "least" },
    { ...count, name: "false-alarms", value: benign.length - right(benign), target: 0 },
  ];
};

function right(results: readonly Outcome[]): number {
  return results.filter(isRight).length;
}

function document(table: string): void {
  const page = readFileSync(PAGE, "utf8");
  const [before = "", rest = ""] = page.split(BEGINS);
  const after = rest.slice(rest.indexOf(ENDS));
  writeFileSync(PAGE, `${before}${BEGINS}\n\n${table}\n\n${after}`);
}
