import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "../shared/failure/index.ts";
import { down, status, up } from "./testbed/index.ts";

/**
 * Runs the layers of tests from fast to real: `node test/run.ts [--without-testbed] [layer ...]
 * [path pattern ...]`. Brings up the test bed for the layers that need it, and takes it down again
 * unless it was up before. The last line is `N passed, N failed, N skipped`.
 */

interface Layer {
  readonly name: string;
  /** What of the test bed its tests use. */
  readonly testbed: readonly string[];
  /** Files at once: tests of the cluster mostly wait. Else as many as there are processors, less one. */
  readonly atOnce?: number;
}

const CLUSTER = [
  ...["kubernetes", "registry", "buildkit", "images", "helm", "helm3", "kubectl"],
  ...["postgres", "redis", "minio", "age", "opensearch", "elasticsearch", "pgbackrest"],
  ...["database-images", "docker"],
];

const LAYERS: readonly Layer[] = [
  { name: "unit", testbed: [], atOnce: 2 },
  { name: "contract", testbed: [] },
  { name: "bundle", testbed: [], atOnce: 2 },
  { name: "cluster", testbed: CLUSTER, atOnce: 3 },
  { name: "workflow", testbed: [...CLUSTER, "act"] },
];

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const root = join(import.meta.dirname, "..");

function plan(args: readonly string[]) {
  const words = args.filter((arg) => !arg.startsWith("--"));
  const named = LAYERS.filter(({ name }) => words.includes(name));
  const chosen = named.length === 0 ? LAYERS : named;
  const needsServers = ({ testbed }: Layer) => testbed.length > 0;
  const leaveOut = args.includes("--without-testbed") ? chosen.filter(needsServers) : [];
  return {
    layers: chosen.filter((layer) => !leaveOut.includes(layer)),
    leftOut: leaveOut.map(({ name }) => name),
    patterns: words.filter((word) => !LAYERS.some(({ name }) => name === word)),
  };
}

/** What jest reports of one run, as far as it is counted here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly name: string; readonly status: string }[];
}

/** Runs jest; undefined when it ends without a report. */
function runJest(args: readonly string[]): {
  readonly exitCode: number | null;
  readonly report: Report | undefined;
} {
  const folder = mkdtempSync(join(tmpdir(), "seaworthy-test-"));
  const file = join(folder, "report.json");
  const jest = join(root, "node_modules", "jest", "bin", "jest.js");
  const options = ["--passWithNoTests", "--json", "--outputFile", file];
  const { status: exitCode } = spawnSync(process.execPath, [jest, ...args, ...options], {
    cwd: root,
    // Its JSON also goes to standard output, where it would drown what people read.
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      NODE_OPTIONS: "--experimental-vm-modules --disable-warning=ExperimentalWarning",
    },
  });
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : undefined;
  rmSync(folder, { recursive: true, force: true });
  return { exitCode, report };
}

/** Counts a run; one that ends without a report counts as one failure. */
function tallyOf({ exitCode, report }: ReturnType<typeof runJest>): Tally {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = report;
  // A file that does not even load has no failed test, but fails the run.
  const failed = Math.max(numFailedTests, exitCode === 0 ? 0 : 1);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

/**
 * Runs one layer. What failed where several files run at once is run again by itself, which is
 * said: a machine that is too busy is no fault of the code, and a fault fails again.
 */
function runLayer({ name: layer, atOnce }: Layer, patterns: readonly string[]): Tally {
  console.log(`\n=== ${layer}`);
  const workers = atOnce === undefined ? [] : [`--maxWorkers=${atOnce}`];
  const first = runJest([
    "--selectProjects",
    layer,
    ...workers,
    "--testPathPatterns",
    ...(patterns.length === 0 ? [""] : patterns),
  ]);
  const files = (first.report?.testResults ?? [])
    .filter(({ status }) => status === "failed")
    .map(({ name }) => name);
  const tally = tallyOf(first);
  if (atOnce === undefined || files.length === 0) return tally;
  console.log(`\n=== ${layer}, again, one by one: ${files.length} files of which something failed`);
  const again = tallyOf(
    runJest(["--selectProjects", layer, "--runInBand", "--runTestsByPath", ...files]),
  );
  // What passed at first in these files passes again, or fails and is counted so.
  const passed = tally.passed + tally.failed - again.failed;
  return { passed, failed: again.failed, skipped: tally.skipped };
}

async function testbedIsUp(): Promise<boolean> {
  return (await status()).length > 0;
}

/** A layer whose servers cannot be brought up has failed, and the others still run. */
async function runWithTestbed(layer: Layer, patterns: readonly string[]) {
  const { name, testbed } = layer;
  try {
    if (testbed.length > 0) await up(testbed, { log: (line) => console.log(line) });
  } catch (error) {
    console.error(`The test bed for the ${name} tests did not come up: ${describe(error)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return runLayer(layer, patterns);
}

async function runAll(args: readonly string[]): Promise<Tally> {
  const { layers, leftOut, patterns } = plan(args);
  const wasUp = await testbedIsUp();
  const tallies: Tally[] = [];
  for (const layer of layers) tallies.push(await runWithTestbed(layer, patterns));
  if (!wasUp && layers.some(({ testbed }) => testbed.length > 0)) await down();
  for (const layer of leftOut) console.log(`skipped, for want of a test bed: the ${layer} tests`);
  const sum = (part: keyof Tally) => tallies.reduce((total, tally) => total + tally[part], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") + leftOut.length };
}

function tell({ passed, failed, skipped }: Tally): void {
  const tail = skipped === 0 ? "" : `, ${skipped} skipped`;
  console.log(`\n${passed} passed, ${failed} failed${tail}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

tell(await runAll(process.argv.slice(2)));
