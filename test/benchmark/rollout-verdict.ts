import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GRACES } from "../../shared/kubernetes/index.ts";
import {
  type BrokenCase,
  broken,
  eachOf,
  type Grounds,
  type HealthyCase,
  healthy,
  isChosen,
  openGrounds,
  Scene,
} from "../corpus/index.ts";
import { up } from "../testbed/index.ts";
import { type Bench, median, type Result } from "./results.ts";
import { byHelm, byKubectl, byRolloutWait, type Tool } from "./rollout-verdict-tools.ts";

const WANTED = ["kubernetes", "registry", "images", "helm", "kubectl"];
/**
 * How many run at once. What only waits for a window or a timeout to end may do so beside many
 * others; what is busy is timed with few beside it, lest they slow each other down.
 */
const AT_ONCE = { patient: 10, busy: 4, theirs: 20 };
/** Programs that start at the same moment slow each other down. */
const APART_MS = 1_300;
/** Causes with a grace of this long are mostly waited for. */
const PATIENT_MS = 20_000;

/** What came of one case with one tool. */
interface Trial {
  readonly one: BrokenCase | HealthyCase;
  readonly passed: boolean;
  /** Seconds from when the cause was certain to the verdict; none for healthy ones. */
  readonly late: number | undefined;
  readonly named: boolean;
  readonly said: string;
}

/**
 * Every case of the corpus on a real kubelet, through rollout-wait, `kubectl rollout status` and
 * `helm upgrade --install --wait`, each in a namespace of its own. A witness beside them tells when
 * each cause was first to be seen; a cause with a grace window is certain when that is over.
 */
export const rolloutVerdict: Bench = async (log) => {
  const endpoints = await up(WANTED, { log });
  const folder = await mkdtemp(join(tmpdir(), "seaworthy-verdict-"));
  await using grounds = await openGrounds("bench-verdict");
  const tool = { endpoints, folder };
  const cases = [...broken, ...healthy].filter(isChosen);
  log(`${cases.length} cases. A tool may take 60 s with a broken one, 120 s with a healthy one;`);
  log("rollout-wait has its defaults. Seconds are past the end of the cause's grace window.");
  try {
    const patient = cases.filter((one) => graceOf(one) >= PATIENT_MS);
    const busy = cases.filter((one) => !patient.includes(one));
    const parts = await Promise.all([
      runAll(grounds, byRolloutWait(tool), patient, AT_ONCE.patient, log),
      runAll(grounds, byRolloutWait(tool), busy, AT_ONCE.busy, log),
    ]);
    const ours = parts.flat();
    const [kubectl, helm] = await Promise.all([
      runAll(grounds, byKubectl(tool), cases, AT_ONCE.theirs, log),
      runAll(grounds, byHelm(tool), cases, AT_ONCE.theirs, log),
    ]);
    for (const { one, said } of ours.filter(isWrong)) log(`${one.name}: ${said}`);
    return [
      ...targetsOf(ours),
      ...comparisonsOf("kubectl", kubectl),
      ...comparisonsOf("helm", helm),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function runAll(
  grounds: Grounds,
  tool: Tool,
  cases: readonly (BrokenCase | HealthyCase)[],
  atOnce: number,
  log: (line: string) => void,
): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  const work = async (one: BrokenCase | HealthyCase) => {
    const trial = await run(grounds, tool, one);
    trials.push(trial);
    log(`${tool.name.padEnd(12)} ${one.name.padEnd(28)} ${told(trial)}`);
  };
  await eachOf(cases, atOnce, work, APART_MS);
  return trials;
}

async function run(grounds: Grounds, tool: Tool, one: BrokenCase | HealthyCase): Promise<Trial> {
  await using scene = await Scene.open(grounds, one);
  await tool.deployFirst(scene);
  scene.begin();
  const sighted = "sign" in one ? scene.regard.spot(one.sign) : undefined;
  const { passed, said } = await tool.rollOut(scene, one);
  const ended = Date.now();
  if (!("sign" in one)) return { one, passed, late: undefined, named: false, said };
  const soon = new Promise<undefined>((resolve) => setTimeout(resolve, 2_000, undefined));
  const seenAt = await Promise.race([sighted, soon]);
  const late = seenAt === undefined ? undefined : (ended - seenAt - graceOf(one)) / 1_000;
  const named = !passed && one.words.every((word) => said.includes(word));
  return { one, passed, late, named, said };
}

/** The grace window of what is wrong with a case, in milliseconds. */
function graceOf(one: BrokenCase | HealthyCase): number {
  return !("grace" in one) || one.grace === "none" ? 0 : GRACES[one.grace];
}

function isWrong({ one, passed, named }: Trial): boolean {
  return "sign" in one ? passed || !named : !passed;
}

function told(trial: Trial): string {
  const { one, passed, late, named } = trial;
  if (!("sign" in one)) return passed ? "passed, rightly" : "WRONG: failed, and is healthy";
  if (passed) return "WRONG: passed, and is broken";
  const when =
    late === undefined ? "before the cause was to be seen" : `after ${late.toFixed(2)} s`;
  return `failed ${when}, ${named ? "cause named" : "cause not named"}`;
}

function targetsOf(trials: readonly Trial[]): Result[] {
  const lates = latesOf(trials);
  const { brokenOnes, named, passed, healthyOnes, healthyFailed } = countsOf(trials);
  return [
    { name: "median-seconds", value: median(lates), unit: "s", target: 1 },
    { name: "worst-seconds", value: Math.max(...lates), unit: "s", target: 2 },
    { name: "healthy-failed", value: healthyFailed, unit: "rollouts", target: 0 },
    { name: "broken-passed", value: passed, unit: "rollouts", target: 0 },
    {
      name: "causes-named",
      value: named / brokenOnes,
      unit: "(1 is all)",
      target: 1,
      bound: "least",
    },
    { name: "broken", value: brokenOnes, unit: "rollouts", target: 30, bound: "least" },
    { name: "healthy", value: healthyOnes, unit: "rollouts", target: 15, bound: "least" },
  ];
}

function comparisonsOf(tool: string, trials: readonly Trial[]): Result[] {
  const { brokenOnes, named, passed, healthyFailed } = countsOf(trials);
  const figures: readonly [string, number, string][] = [
    ["median-seconds", median(latesOf(trials)), "s"],
    ["causes-named", named / brokenOnes, "(1 is all)"],
    ["broken-passed", passed, "rollouts"],
    ["healthy-failed", healthyFailed, "rollouts"],
  ];
  return figures.map(([name, value, unit]) => ({
    name: `${tool}.${name}`,
    value,
    unit,
    target: undefined,
  }));
}

function latesOf(trials: readonly Trial[]): number[] {
  return trials.flatMap(({ late, passed }) => (passed ? [] : (late ?? [])));
}

function countsOf(trials: readonly Trial[]) {
  const brokenOnes = trials.filter(({ one }) => "sign" in one);
  const healthyOnes = trials.filter(({ one }) => !("sign" in one));
  return {
    brokenOnes: brokenOnes.length,
    named: brokenOnes.filter(({ named }) => named).length,
    passed: brokenOnes.filter(({ passed }) => passed).length,
    healthyOnes: healthyOnes.length,
    healthyFailed: healthyOnes.filter(({ passed }) => !passed).length,
  };
}
