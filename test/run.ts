import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { describe } from "../shared/failure/index.ts";
import { recordDurations } from "./durations.ts";
import { down, status, up } from "./testbed/index.ts";

/**
 * Runs the layers of tests from fast to real: `node test/run.ts [--without-testbed]
 * [--record-durations] [layer ...] [path pattern ...]`. Brings up the test bed for the layers that
 * need it, while those run that do not, and takes it down again unless it was up before. The last
 * line is `N passed, N failed, N skipped`.
 */

interface Layer {
  readonly name: string;
  /** What of the test bed its tests use. */
  readonly testbed: readonly string[];
}

const CLUSTER = [
  ...["kubernetes", "registry", "buildkit", "images", "helm", "helm3", "kubectl"],
  ...["postgres", "redis", "minio", "age", "opensearch", "elasticsearch", "pgbackrest"],
  ...["database-images", "docker", "crane"],
];

/**
 * Layers of a stage run in one go, the longest files of them all first: what computes runs beside
 * what waits for servers. The second stage begins when the first has ended and the test bed is up.
 */
const STAGES: readonly (readonly Layer[])[] = [
  [
    { name: "unit", testbed: [] },
    { name: "contract", testbed: [] },
  ],
  [
    { name: "bundle", testbed: [] },
    { name: "cluster", testbed: CLUSTER },
    { name: "workflow", testbed: [...CLUSTER, "act"] },
  ],
];
const LAYERS = STAGES.flat();

const PROCESSORS = Math.min(Math.max(availableParallelism(), 2), 4);

/** Files at once. Tests of real servers wait a lot, and fail by the seconds they are held to where too many compute. */
const AT_ONCE = { computing: PROCESSORS, waiting: PROCESSORS + 1 };

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };
const ONE_FAILURE: Tally = { ...NOTHING, failed: 1 };

function sumOf(tallies: readonly Tally[]): Tally {
  const sum = (part: keyof Tally) => tallies.reduce((total, tally) => total + tally[part], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

const root = join(import.meta.dirname, "..");

const needsServers = ({ testbed }: Layer) => testbed.length > 0;

function plan(args: readonly string[]) {
  const words = args.filter((arg) => !arg.startsWith("--"));
  const named = LAYERS.filter(({ name }) => words.includes(name));
  const chosen = named.length === 0 ? LAYERS : named;
  const leftOut = args.includes("--without-testbed") ? chosen.filter(needsServers) : [];
  const runs = (layer: Layer) => chosen.includes(layer) && !leftOut.includes(layer);
  return {
    stages: STAGES.map((stage) => stage.filter(runs)).filter((stage) => stage.length > 0),
    leftOut: leftOut.map(({ name }) => name),
    patterns: words.filter((word) => !LAYERS.some(({ name }) => name === word)),
    isRecorded: args.includes("--record-durations"),
  };
}

/** What jest reports of one run, as far as it is counted here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly startTime: number;
    readonly endTime: number;
  }[];
}

interface Run {
  readonly exitCode: number | null;
  readonly report: Report | undefined;
}

/** Runs jest; without a report when it ends without one. */
async function runJest(args: readonly string[]): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "seaworthy-test-"));
  const file = join(folder, "report.json");
  const jest = join(root, "node_modules", "jest", "bin", "jest.js");
  const options = ["--passWithNoTests", "--json", "--outputFile", file];
  const child = spawn(process.execPath, [jest, ...args, ...options], {
    cwd: root,
    // Its JSON also goes to standard output, where it would drown what people read.
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      NODE_OPTIONS: "--experimental-vm-modules --disable-warning=ExperimentalWarning",
    },
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : undefined;
  rmSync(folder, { recursive: true, force: true });
  return { exitCode, report };
}

/** Counts a run; one that ends without a report counts as one failure. */
function tallyOf({ exitCode, report }: Run): Tally {
  if (report === undefined) return ONE_FAILURE;
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = report;
  // A file that does not even load has no failed test, but fails the run.
  const failed = Math.max(numFailedTests, exitCode === 0 ? 0 : 1);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

interface Ended {
  readonly tally: Tally;
  readonly report: Report | undefined;
}

/**
 * Runs layers in one go. What failed where several files run at once is run again by itself, which
 * is said: a machine that is too busy is no fault of the code, and a fault fails again.
 */
async function runLayers(layers: readonly Layer[], patterns: readonly string[]): Promise<Ended> {
  const names = layers.map(({ name }) => name);
  console.log(`\n=== ${names.join(", ")}`);
  const projects = ["--selectProjects", ...names];
  const atOnce = layers.some(needsServers) ? AT_ONCE.waiting : AT_ONCE.computing;
  const paths = patterns.length === 0 ? [""] : patterns;
  const first = await runJest([
    ...projects,
    `--maxWorkers=${atOnce}`,
    ...["--testPathPatterns", ...paths],
  ]);
  const tally = tallyOf(first);
  const { report } = first;
  const files = (report?.testResults ?? [])
    .filter(({ status }) => status === "failed")
    .map(({ name }) => name);
  if (files.length === 0) return { tally, report };
  const told = files.map((file) => relative(root, file)).join(" ");
  console.log(`\n=== again, one by one, what failed: ${told}`);
  const again = tallyOf(await runJest([...projects, "--runInBand", "--runTestsByPath", ...files]));
  // What passed at first in these files passes again, or fails and is counted so.
  const passed = tally.passed + tally.failed - again.failed;
  return { tally: { passed, failed: again.failed, skipped: tally.skipped }, report };
}

async function testbedIsUp(): Promise<boolean> {
  return (await status()).length > 0;
}

/** Brings up what layers need, and tells whether it is there. */
async function bringUp(layers: readonly Layer[]): Promise<boolean> {
  const pieces = [...new Set(layers.flatMap(({ testbed }) => testbed))];
  try {
    if (pieces.length > 0) await up(pieces, { log: (line) => console.log(line) });
    return true;
  } catch (error) {
    console.error(`The test bed did not come up: ${describe(error)}`);
    return false;
  }
}

/** Layers whose servers cannot be brought up have failed, and the others still run. */
async function runStage(
  stage: readonly Layer[],
  patterns: readonly string[],
  isUp: Promise<boolean>,
): Promise<Ended> {
  const isWhole = !stage.some(needsServers) || (await isUp);
  const layers = isWhole ? stage : stage.filter((layer) => !needsServers(layer));
  const lost = stage.filter((layer) => !layers.includes(layer)).map(() => ONE_FAILURE);
  const { tally, report } =
    layers.length === 0 ? { tally: NOTHING, report: undefined } : await runLayers(layers, patterns);
  return { tally: sumOf([tally, ...lost]), report };
}

async function runAll(args: readonly string[]): Promise<Tally> {
  const { stages, leftOut, patterns, isRecorded } = plan(args);
  const wasUp = await testbedIsUp();
  // It mostly waits for its servers, so that the first stage runs meanwhile.
  const isUp = bringUp(stages.flat());
  const ended: Ended[] = [];
  for (const stage of stages) ended.push(await runStage(stage, patterns, isUp));
  await isUp;
  if (!wasUp && stages.flat().some(needsServers)) await down();
  for (const layer of leftOut) console.log(`skipped, for want of a test bed: the ${layer} tests`);
  if (isRecorded) recordDurations(ended.flatMap(({ report }) => report?.testResults ?? []));
  const unrun = leftOut.map((): Tally => ({ ...NOTHING, skipped: 1 }));
  return sumOf([...ended.map(({ tally }) => tally), ...unrun]);
}

function tell({ passed, failed, skipped }: Tally): void {
  const tail = skipped === 0 ? "" : `, ${skipped} skipped`;
  console.log(`\n${passed} passed, ${failed} failed${tail}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

tell(await runAll(process.argv.slice(2)));
