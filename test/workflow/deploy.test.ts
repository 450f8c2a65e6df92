import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { dump } from "js-yaml";
import { type Cluster, connect, type KubernetesObject } from "../../shared/kubernetes/index.ts";
import { Secrets } from "../../shared/secrets/index.ts";
import { silentLog } from "../../shared/world/index.ts";
import { type Endpoints, endpoints } from "../testbed/index.ts";
import { type ActResult, makeWorkspace, runWorkflow, type Workspace } from "./act/index.ts";

const LONG = 300_000;
const NAMESPACE = `workflow-deploy-${randomBytes(3).toString("hex")}`;
/** Where nothing was ever deployed before. */
const FIRST = `${NAMESPACE}-first`;
/** Small and quick to end: these tests are about the workflow, not about the drain. */
const QUICK = { replicas: 1, drainSeconds: 0 };

let bed: Endpoints;
let cluster: Cluster;
let workspace: Workspace;

beforeAll(async () => {
  bed = await endpoints();
  cluster = await connect(
    { kubeconfig: bed.kubeconfig },
    { signal: AbortSignal.timeout(LONG), secrets: new Secrets(), environment: {}, log: silentLog },
  );
  workspace = await makeWorkspace();
}, LONG);

afterAll(async () => {
  await workspace?.[Symbol.asyncDispose]();
  for (const name of [NAMESPACE, FIRST]) {
    await cluster?.delete({ apiVersion: "v1", kind: "Namespace", name });
  }
}, LONG);

/** Calls deploy.yml as a team's workflow does, with a job after it that tells its outputs. */
async function deploy(inputs: Readonly<Record<string, string>> = {}): Promise<ActResult> {
  const service = { name: "quickstart", context: ".", "build-args": { BASE_IMAGE: bed.nodeImage } };
  const caller = {
    on: "push",
    jobs: {
      ship: {
        uses: "./.github/workflows/deploy.yml",
        with: {
          services: JSON.stringify([service]),
          registry: `${bed.registry}/${NAMESPACE}`,
          chart: "chart",
          release: "quickstart",
          namespace: NAMESPACE,
          values: JSON.stringify(QUICK),
          "smoke-service": "quickstart",
          environment: "production",
          timeout: "60s",
          ...inputs,
        },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the workflow's.
        secrets: { kubeconfig: "${{ secrets.KUBECONFIG }}" },
      },
      tell: {
        needs: "ship",
        "runs-on": "ubuntu-latest",
        steps: [
          {
            id: "told",
            // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the workflow's.
            env: { OUTPUTS: "${{ toJSON(needs.ship.outputs) }}" },
            run: 'node -e \'console.log("outputs=" + JSON.stringify(JSON.parse(process.env.OUTPUTS)))\' >> "$GITHUB_OUTPUT"',
          },
        ],
      },
    },
  };
  await workspace.write(".github/workflows/caller.yml", dump(caller));
  return runWorkflow({
    repository: workspace.folder,
    workflow: ".github/workflows/caller.yml",
    secrets: { KUBECONFIG: (await readFile(bed.kubeconfig)).toString("base64") },
    variables: {},
    environment: { DOCKER_CONFIG: bed.dockerConfig, BUILDX_BUILDER: "seaworthy" },
    path: [bed.bin],
    deadline: LONG,
  });
}

/** What the workflow put out; act evaluates it when everything succeeded. */
function outputsOf(result: ActResult): Record<string, string> {
  return JSON.parse(result.outputs("told").outputs ?? "{}");
}

/** The images and settings that the Deployment asks for now. */
async function running(): Promise<string> {
  const ref = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    namespace: NAMESPACE,
    name: "quickstart",
  };
  const deployment = await cluster.get<KubernetesObject & { readonly spec: object }>(ref);
  return JSON.stringify(deployment.spec);
}

function told(result: ActResult): string {
  return `${result.log}\n${result.summary()}`;
}

describe("the deploy workflow, one release through good and bad days", () => {
  let first: ActResult;

  it(
    "builds, pushes, upgrades, asks, and puts out what came of it",
    async () => {
      first = await deploy();
      expect({ passed: first.passed, log: first.passed || first.log }).toEqual({
        passed: true,
        log: true,
      });
      const outputs = outputsOf(first);
      expect(outputs).toMatchObject({
        verdict: "passed",
        cause: "",
        revision: "1",
        "running-revision": "1",
        "rolled-back": "false",
      });
      const { digest } = JSON.parse(outputs.images ?? "{}").quickstart;
      expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await running()).toContain(`${bed.registry}/${NAMESPACE}/quickstart@${digest}`);
      expect(first.summary("result")).toContain("`quickstart` in production: passed");
      expect(first.summary("result")).toContain("Revision 1 serves.");
    },
    LONG,
  );

  it(
    "fails a version that does not roll out, with its cause, and builds nothing that did not change",
    async () => {
      const before = await running();
      const values = JSON.stringify({ ...QUICK, fault: { missingConfig: true } });
      const result = await deploy({ values });
      expect(result.passed).toBe(false);
      expect(result.jobs).toMatchObject({ build: "success", deploy: "failure" });
      expect(result.outputs("result")).toMatchObject({
        verdict: "failed",
        cause: expect.stringContaining('configmap "quickstart-missing" not found'),
        "rolled-back": "true",
        "running-revision": "3",
      });
      expect(result.steps.smoke).toBeUndefined();
      const { status, digest } = JSON.parse(result.outputs("build").images ?? "{}").quickstart;
      const shipped = JSON.parse(outputsOf(first).images ?? "{}").quickstart;
      expect({ status, digest }).toEqual({ status: "reused", digest: shipped.digest });
      expect(result.summary("result")).toContain("Rolled back: revision 3 serves.");
      expect(await running()).toBe(before);
    },
    LONG,
  );

  it(
    "puts back what served before when the new version rolls out and then answers wrongly",
    async () => {
      const before = await running();
      const values = JSON.stringify({ ...QUICK, fault: { errorRate: 1 } });
      const result = await deploy({ values, "smoke-timeout": "3s" });
      expect(result.passed).toBe(false);
      expect(result.steps).toMatchObject({
        upgrade: "success",
        smoke: "failure",
        undo: "success",
        result: "success",
      });
      expect(result.outputs("result")).toMatchObject({
        verdict: "failed",
        cause: expect.stringContaining("500"),
        "rolled-back": "true",
        "running-revision": "5",
      });
      expect(await running()).toBe(before);
    },
    LONG,
  );

  it(
    "leaves a first release that answers wrongly, for there is nothing to go back to, and says so",
    async () => {
      const values = JSON.stringify({ ...QUICK, fault: { errorRate: 1 } });
      const result = await deploy({ values, "smoke-timeout": "3s", namespace: FIRST });
      expect(result.passed).toBe(false);
      expect(result.steps.undo).toBeUndefined();
      expect(result.outputs("result")).toMatchObject({
        verdict: "failed",
        "rolled-back": "false",
        "running-revision": "1",
      });
      expect(result.summary("result")).toContain("Revision 1 serves.");
    },
    LONG,
  );

  it(
    "deploys a chart alone when there is nothing to build",
    async () => {
      const { quickstart } = JSON.parse(outputsOf(first).images ?? "{}");
      const { repository, digest } = quickstart;
      const values = JSON.stringify({ ...QUICK, image: { repository, digest } });
      const result = await deploy({ services: "", values });
      expect({ passed: result.passed, log: result.passed || result.log }).toEqual({
        passed: true,
        log: true,
      });
      expect(outputsOf(result)).toMatchObject({ verdict: "passed", images: "", revision: "6" });
      expect(result.steps.build).toBeUndefined();
    },
    LONG,
  );

  it(
    "stops at a wrong input before anything is touched, and says what is accepted",
    async () => {
      const result = await deploy({ services: "", timeout: "soon" });
      expect(result.passed).toBe(false);
      const { verdict, cause, "running-revision": revision } = result.outputs("result");
      expect({ verdict, revision }).toEqual({ verdict: "failed", revision: "" });
      expect(cause).toMatch(/timeout.*"soon".*5m/s);
    },
    LONG,
  );

  it(
    "does not deploy what does not build",
    async () => {
      const dockerfile = await workspace.read("Dockerfile");
      await workspace.write("Dockerfile", `${dockerfile}\nRUN no-such-program\n`);
      const result = await deploy();
      await workspace.write("Dockerfile", dockerfile);
      expect(result.passed).toBe(false);
      expect(result.jobs.build).toBe("failure");
      expect(result.steps.upgrade).toBeUndefined();
      expect(result.outputs("build")).toMatchObject({
        verdict: "failed",
        cause: expect.stringContaining("no-such-program"),
      });
    },
    LONG,
  );

  it(
    "treats names as names, whatever they hold",
    async () => {
      const result = await deploy({ services: "", release: "x; touch /tmp/owned $(id) `id`" });
      expect(result.passed).toBe(false);
      expect(result.outputs("result").cause).toMatch(/release/);
      expect(told(result)).not.toMatch(/uid=\d/);
    },
    LONG,
  );

  it("never shows the kubeconfig's secrets", async () => {
    const config = JSON.parse(await readFile(bed.kubeconfig, "utf8"));
    const key = config.users[0].user["client-key-data"];
    expect(key.length).toBeGreaterThan(100);
    expect(told(first)).not.toContain(key);
    expect(told(first)).not.toContain(Buffer.from(key, "base64").toString().split("\n")[1]);
  });
});
