import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { dump } from "js-yaml";
import { waitForRollout } from "../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../cluster/kubernetes/sandbox.ts";
import { type ActResult, makeWorkspace, runWorkflow, type Workspace } from "./act/index.ts";

const LONG = 300_000;
const { world } = testWorld();
let box: Sandbox;
let workspace: Workspace;

beforeAll(async () => {
  box = await sandbox("workflow-rollback");
  workspace = await makeWorkspace();
}, LONG);

afterAll(async () => {
  await workspace?.[Symbol.asyncDispose]();
  await box?.[Symbol.asyncDispose]();
}, LONG);

/** Starts a team's rollback workflow by hand, with or without a kubeconfig of the repository. */
async function rollBack(inputs: Readonly<Record<string, string>> = {}): Promise<ActResult> {
  const caller = {
    on: "workflow_dispatch",
    jobs: {
      rollback: {
        uses: "./.github/workflows/rollback.yml",
        with: {
          target: "deployment/web",
          namespace: box.namespace,
          reason: "checkout fails",
          environment: "production",
          timeout: "60s",
          ...inputs,
        },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the workflow's.
        secrets: { kubeconfig: "${{ secrets.KUBECONFIG }}" },
      },
    },
  };
  await workspace.write(".github/workflows/back.yml", dump(caller));
  const { kubeconfig, dockerConfig, bin } = box.endpoints;
  return runWorkflow({
    repository: workspace.folder,
    workflow: ".github/workflows/back.yml",
    event: "workflow_dispatch",
    secrets: { KUBECONFIG: (await readFile(kubeconfig)).toString("base64") },
    variables: {},
    environment: { DOCKER_CONFIG: dockerConfig },
    path: [bin],
    deadline: LONG,
  });
}

async function out(version: string): Promise<void> {
  const web = deployment(box, "web", { container: { env: [{ name: "VERSION", value: version }] } });
  await box.cluster.apply(web, { force: true });
  const options = { deadline: Date.now() + 60_000, world };
  const target = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    namespace: box.namespace,
    name: "web",
  };
  const report = await waitForRollout(box.cluster, [target], options);
  if (report.verdict !== "ready") throw new Error(report.cause?.message);
}

describe("the rollback workflow", () => {
  it(
    "shows what will change, then goes back",
    async () => {
      await out("v1");
      await out("v2");
      const result = await rollBack();
      expect({ passed: result.passed, log: result.passed || result.log }).toEqual({
        passed: true,
        log: true,
      });
      expect(result.summary("plan")).toContain("could go from revision 2 to revision 1");
      expect(result.outputs("plan").changed).toBe("false");
      expect(result.outputs("rollback")).toMatchObject({
        verdict: "passed",
        from: "revision 2",
        to: "revision 1",
        changed: "true",
      });
    },
    LONG,
  );

  it(
    "stops at the plan when there is nothing good to go back to, and asks for no approval",
    async () => {
      const result = await rollBack();
      expect(result.passed).toBe(false);
      expect(result.outputs("plan")).toMatchObject({
        verdict: "failed",
        cause: expect.stringContaining("no earlier revision that was good"),
      });
      expect(result.steps.rollback).toBeUndefined();
    },
    LONG,
  );
});
