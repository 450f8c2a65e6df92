import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "../../shared/proof/index.ts";
import { bundleOf, runStep } from "../runner/index.ts";
import type { Case, Result } from "./case.ts";
import type { Scene } from "./scene.ts";

const LANES = 2;

/** Runs cases, some at once, and gives what came of each in their order. */
export async function runCases(
  cases: readonly Case[],
  scene: Scene,
  onResult: (result: Result) => void = () => {},
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const waiting = cases.entries();
  const lane = async () => {
    for (const [at, one] of waiting) {
      const result = await runCase(one, at, scene);
      results[at] = result;
      onResult(result);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

async function runCase(one: Case, at: number, scene: Scene): Promise<Result> {
  const folder = join(scene.folder, `case-${at}`);
  await mkdir(folder);
  try {
    const inputs = await one.arrange(scene, folder);
    const step = await runStep(bundleOf("verify-backup"), {
      inputs: { ...inputs, tier: one.tier, "postgres-bin": scene.server.bin, record: "false" },
      environment: { PATH: `${scene.redisPrograms}:${process.env.PATH}` },
    });
    const findings: readonly Finding[] = JSON.parse(step.outputs.findings || "[]");
    const against = findings.filter(({ weight }) => weight !== "note");
    const told = against.map(({ detector, subject, what }) => `[${detector}] ${subject}: ${what}`);
    const { title, message } = errorOf(step.commands);
    return {
      case: one,
      // A step that fails without a finding did not verify anything.
      verdict: step.exitCode === 0 ? "passed" : against.length > 0 ? "failed" : "broken",
      detectors: [...new Set(against.map(({ detector }) => detector))],
      words: told.length > 0 ? told : [`${title}: ${message}`],
      seconds: step.milliseconds / 1_000,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function errorOf(commands: Awaited<ReturnType<typeof runStep>>["commands"]) {
  const error = commands.find(({ name }) => name === "error");
  return { title: error?.properties.title ?? "no failure", message: error?.message ?? "" };
}
