import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "@jest/globals";
import { bundleOf, type Step, startStep } from "../../runner/index.ts";
import { type FaultProxy, faultProxy } from "../kubernetes/fault-proxy.ts";
import { deployment, type Sandbox, sandbox } from "../kubernetes/sandbox.ts";
import { together } from "../kubernetes/together.ts";

const SOON_MS = 5_000;
/** Moments of a run that waits, in milliseconds after its start; Node itself needs some 400. */
const MOMENTS = [0, 150, 300, 450, 600, 800, 1_100, 1_600, 2_500, 4_000];

let box: Sandbox;
let proxy: FaultProxy;
let mute: FaultProxy;
let folder: string;
beforeAll(async () => {
  box = await sandbox("cancellation");
  folder = await mkdtemp(join(tmpdir(), "cancellation-"));
  proxy = await faultProxy(box.cluster, () => "pass");
  mute = await faultProxy(box.cluster, () => "hang");
  const slow = { container: { command: ["sleep", "600"] } };
  await box.cluster.apply(deployment(box, "slow", slow));
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await mute?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
  await box?.[Symbol.asyncDispose]();
});

/** Starts the action, sends it a signal, and measures how long it takes to end. */
async function interrupt(
  kubeconfig: string,
  signal: NodeJS.Signals,
  moment: number | RegExp,
): Promise<Step & { readonly took: number }> {
  const { child, logged, finished } = await startStep(bundleOf("rollout-wait"), {
    inputs: { kubeconfig, namespace: box.namespace, resources: "deployment/slow" },
  });
  if (typeof moment === "number") await new Promise((resolve) => setTimeout(resolve, moment));
  else await logged(moment);
  const began = performance.now();
  child.kill(signal);
  return { ...(await finished), took: performance.now() - began };
}

function expectCleanEnd(step: Step & { readonly took: number }, signal: NodeJS.Signals): void {
  expect(step.took).toBeLessThan(SOON_MS);
  // Before the action is loaded at all, Node ends as every program does.
  if (step.signal !== null) expect([step.signal, step.stdout]).toEqual([signal, ""]);
  else {
    expect(step.exitCode).toBe(1);
    expect(step.outputs.verdict).toBe("cancelled");
    expect(step.commands.filter(({ name }) => name === "error")).toHaveLength(1);
  }
}

async function atAllMoments(signal: NodeJS.Signals): Promise<void> {
  for (const moment of MOMENTS) {
    expectCleanEnd(await interrupt(proxy.kubeconfig, signal, moment), signal);
  }
}

describe("rollout-wait, told to stop", () => {
  together(
    {
      "ends soon at any moment (SIGINT)": () => atAllMoments("SIGINT"),
      "ends soon at any moment (SIGTERM)": () => atAllMoments("SIGTERM"),
      "says that nothing was changed, and asks for nothing but to read": async () => {
        const step = await interrupt(proxy.kubeconfig, "SIGTERM", /deployment\/slow: /);
        expectCleanEnd(step, "SIGTERM");
        expect(step.stdout).toContain("Nothing was changed here");
        expect(step.summary).toContain("Cancelled while waiting");
        const reading = /^(GET |POST \/apis\/authorization\.k8s\.io\/v1\/selfsubjectaccessreviews)/;
        expect(proxy.requests.filter((line) => !reading.test(line))).toEqual([]);
      },
      "ends soon also while the API server gives no answer": async () => {
        for (const signal of ["SIGINT", "SIGTERM"] as const) {
          expectCleanEnd(await interrupt(mute.kubeconfig, signal, 2_500), signal);
        }
      },
      "ends soon also while a credential plugin hangs, and ends it, too": async () => {
        const file = join(folder, "plugin");
        await writeFile(file, `#!/bin/sh\necho $$ > ${file}.pid\nexec sleep 300\n`, {
          mode: 0o755,
        });
        const exec = {
          apiVersion: "client.authentication.k8s.io/v1",
          command: file,
          interactiveMode: "Never",
        };
        const config = JSON.parse(proxy.kubeconfig);
        config.users[0].user = { exec };
        expectCleanEnd(await interrupt(JSON.stringify(config), "SIGINT", 2_500), "SIGINT");
        await expect(isGone(`${file}.pid`)).resolves.toBe(true);
      },
    },
    180_000,
  );
});

async function isGone(file: string): Promise<boolean> {
  const pid = Number(await readFile(file, "utf8"));
  for (let tries = 0; tries < 40; tries += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
