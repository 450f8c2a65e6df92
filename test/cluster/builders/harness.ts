import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { bundleOf, type Runner, runStep, type Step } from "../../runner/index.ts";
import type { Endpoints } from "../../testbed/index.ts";

const source = bundleOf("build-push");

/** A prefix of repositories that no other run has. */
export function ownPrefix(name: string): string {
  return `${name}-${randomBytes(4).toString("hex")}`;
}

/** Runs build-push as a runner does. */
export function buildPush(
  bed: Endpoints,
  runner: Runner,
  inputs: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<Step> {
  return runStep(source, {
    runner,
    // The bed has a scanner, and no database for it.
    inputs: { scan: "off", ...inputs },
    environment: {
      PATH: `${bed.bin}:${process.env.PATH}`,
      DOCKER_CONFIG: join(runner.folder, "docker"),
      HOME: runner.folder,
      ...environment,
    },
  });
}

/** How many of how many steps came from the cache, as the step's line tells. */
export function cachedSteps(step: Step): readonly [cached: number, total: number] {
  const [, cached, total] = /^cache: (\d+) of (\d+) steps/m.exec(step.stdout) ?? [];
  return [Number(cached), Number(total)];
}

/** A manifest, asked without any of the project's code. */
export async function manifestAt(reference: string): Promise<Record<string, unknown> | undefined> {
  const [, host, path, tag] = /^([^/]+)\/(.+?)[:@]([^/]+(?::[0-9a-f]+)?)$/.exec(reference) ?? [];
  const kinds = ["index", "manifest"].map((kind) => `application/vnd.oci.image.${kind}.v1+json`);
  const headers = { accept: kinds.join(", ") };
  const answer = await fetch(`http://${host}/v2/${path}/manifests/${tag}`, { headers });
  return answer.ok ? ((await answer.json()) as Record<string, unknown>) : undefined;
}

/** What it told, of a step that passed. */
export function passed(step: Step): Step {
  if (step.exitCode === 0) return step;
  throw new Error(`the step failed:\n${step.stdout}\n${step.stderr}`);
}
