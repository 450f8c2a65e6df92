import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleOf, type Runner, runStep, type Step } from "../runner/index.ts";

/** The peak of the resident memory; the kernel's rusage counts the parent's in. */
const HOOK = `process.on("exit", () => {
  const fs = require("node:fs");
  const status = fs.readFileSync("/proc/self/status", "utf8");
  fs.writeFileSync(process.env.PEAK_FILE, /VmHWM:\\s*(\\d+)/.exec(status)[1]);
});
`;

/** Runs an action's bundle as a runner does: how long it took, and the most memory that it had. */
export async function runWithPeak(
  action: string,
  runner: Runner,
  inputs: Readonly<Record<string, string>>,
): Promise<Step & { readonly peakMb: number }> {
  const peak = join(runner.folder, "peak");
  const hook = join(runner.folder, "peak.cjs");
  await writeFile(hook, HOOK);
  const environment = { NODE_OPTIONS: `--require=${hook}`, PEAK_FILE: peak };
  const step = await runStep(bundleOf(action), { runner, inputs, environment });
  if (step.exitCode !== 0) throw new Error(`${action} failed:\n${step.stdout}${step.stderr}`);
  return { ...step, peakMb: (Number(await readFile(peak, "utf8")) * 1_024) / 1e6 };
}
