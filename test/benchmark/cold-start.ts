import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, median, type Result } from "./results.ts";

const ROUNDS = 20;
const DIST = join(import.meta.dirname, "..", "..", "dist");
const MB = 1_000_000;

/** Budgets of docs/architecture.md: without and with the Kubernetes client. */
const BUDGETS = {
  plain: { ratio: 4, bytes: 1.5 * MB },
  kubernetes: { ratio: 7, bytes: 5.5 * MB },
};
const MEMORY_MB = 150;

interface Subject {
  readonly name: string;
  readonly file: string;
  readonly firstLines: number[];
  readonly exits: number[];
}

/**
 * What a user waits for when an input is wrong: the time to the first line and to the exit of every
 * bundle, against a script that does nothing, in turn. Memory and size go with it.
 */
export const coldStart: Bench = async (log) => {
  const actions = (await readdir(DIST)).sort();
  const folder = await mkdtemp(join(tmpdir(), "seaworthy-bench-"));
  try {
    const empty = subject("empty", join(folder, "empty.js"));
    await writeFile(empty.file, "");
    const bundles = actions.map((name) => subject(name, join(DIST, name, "index.js")));
    const all = [empty, ...bundles];
    // The first runs read from the disk.
    for (const one of all) await run(one.file, folder);
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const one of all) await measure(one, folder);
      if (round % 5 === 0) log(`${round} of ${ROUNDS} rounds`);
    }
    const base = median(empty.exits);
    log(`An empty script: ${base.toFixed(1)} ms`);
    const results: Result[] = [];
    for (const bundle of bundles) results.push(...(await resultsOf(bundle, base, folder)));
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

function subject(name: string, file: string): Subject {
  return { name, file, firstLines: [], exits: [] };
}

async function measure(one: Subject, folder: string): Promise<void> {
  const { firstLine, exit } = await run(one.file, folder);
  one.exits.push(exit);
  if (firstLine !== undefined) one.firstLines.push(firstLine);
}

async function resultsOf(bundle: Subject, base: number, folder: string): Promise<Result[]> {
  const { name, file, exits, firstLines } = bundle;
  const budget = (await hasKubernetesClient(name)) ? BUDGETS.kubernetes : BUDGETS.plain;
  const exit = median(exits);
  const of = (what: string, value: number, unit: string, target?: number) => ({
    name: `${name}.${what}`,
    value,
    unit,
    target,
  });
  return [
    of("ratio", exit / base, "times", budget.ratio),
    of("bytes", await sizeOf(name), "bytes", budget.bytes),
    of("memory", await peakMemory(file, folder), "MB", MEMORY_MB),
    of("first-line", median(firstLines), "ms"),
    of("exit", exit, "ms"),
  ];
}

/** Runs a script with an input that no action accepts; times in milliseconds. */
async function run(
  file: string,
  folder: string,
  options: readonly string[] = [],
): Promise<{ firstLine: number | undefined; exit: number; tail: string }> {
  const began = performance.now();
  const child = spawn(process.execPath, [...options, file], {
    cwd: folder,
    env: { PATH: process.env.PATH, INPUT_TIMEOUT: "soon" },
    stdio: ["ignore", "pipe", "ignore", "pipe"],
  });
  let firstLine: number | undefined;
  let tail = "";
  child.stdout?.once("data", () => {
    firstLine = performance.now() - began;
  });
  child.stdout?.resume();
  child.stdio[3]?.on("data", (chunk: Buffer) => {
    tail += chunk.toString();
  });
  await once(child, "exit");
  const exit = performance.now() - began;
  if (child.stdio[3] && !child.stdio[3].destroyed) await once(child, "close");
  return { firstLine, exit, tail };
}

/** The peak of the resident memory, in MB. The kernel's rusage counts the parent's in. */
async function peakMemory(file: string, folder: string): Promise<number> {
  const hook = join(folder, "peak.cjs");
  const program = `process.on("exit", () => {
    const fs = require("node:fs");
    const status = fs.existsSync("/proc/self/status") ? fs.readFileSync("/proc/self/status", "utf8") : "";
    const kB = /VmHWM:\\s*(\\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
    fs.writeSync(3, String(kB));
  });`;
  await writeFile(hook, program);
  const peaks: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { tail } = await run(file, folder, ["--require", hook]);
    peaks.push((Number(tail) * 1_024) / MB);
  }
  return median(peaks);
}

async function sizeOf(action: string): Promise<number> {
  const files = await readdir(join(DIST, action), { recursive: true });
  const scripts = files.filter((file) => /\.[cm]?js$/.test(file));
  const sizes = await Promise.all(scripts.map((file) => stat(join(DIST, action, file))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

async function hasKubernetesClient(action: string): Promise<boolean> {
  const licenses = await readFile(join(DIST, action, "licenses.txt"), "utf8");
  return licenses.includes("@kubernetes/client-node");
}
