import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { dump } from "js-yaml";
import { type KubernetesObject, waitForRollout } from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";
import { rollBack } from "./sandboxed-step.ts";

const run = promisify(execFile);
const { world } = testWorld();
let box: Sandbox;
let folder: string;

beforeAll(async () => {
  box = await sandbox("rollback-release");
  folder = await mkdtemp(join(tmpdir(), "rollback-release-"));
});
afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Helm as people use it, without Seaworthy. */
async function helm(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(join(box.endpoints.bin, program), [...args], {
    env: { ...process.env, KUBECONFIG: box.endpoints.kubeconfig },
  });
  return stdout;
}

/** A chart whose ConfigMap and Deployment carry its version. */
async function chart(name: string, version: string): Promise<string> {
  const place = join(folder, `${name}-${version}`);
  await mkdir(join(place, "templates"), { recursive: true });
  const web = deployment(box, name, { container: { env: [{ name: "VERSION", value: version }] } });
  const { namespace: _, ...metadata } = web.metadata;
  const settings = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    data: { greeting: `hello from ${version}` },
  };
  const about = { apiVersion: "v2", name, version: "1.0.0", appVersion: version };
  await writeFile(join(place, "Chart.yaml"), dump(about));
  await writeFile(join(place, "templates/web.yaml"), dump({ ...web, metadata }));
  await writeFile(join(place, "templates/settings.yaml"), dump(settings));
  return place;
}

async function upgrade(program: string, name: string, version: string): Promise<void> {
  const place = await chart(name, version);
  await helm(program, "upgrade", "--install", name, place, "-n", box.namespace);
  const web = { apiVersion: "apps/v1", kind: "Deployment", namespace: box.namespace, name };
  const options = { deadline: Date.now() + 60_000, world };
  const report = await waitForRollout(box.cluster, [web], options);
  if (report.verdict !== "ready") throw new Error(report.cause?.message);
}

async function greeting(name: string): Promise<string | undefined> {
  const ref = { apiVersion: "v1", kind: "ConfigMap", namespace: box.namespace, name };
  const { data } = await box.cluster.get<
    KubernetesObject & { readonly data: Readonly<Record<string, string>> }
  >(ref);
  return data.greeting;
}

describe.each(["helm", "helm3"])("a release of %s", (program) => {
  const name = `shop-${program}`;
  const inputs = { target: `release/${name}`, helm: program };

  it("goes back to its previous good revision as a whole, and Helm's history says who and why", async () => {
    for (const version of ["v1", "v2"]) await upgrade(program, name, version);
    const plan = await rollBack(box, { ...inputs, mode: "plan" });
    expect(plan.exitCode).toBe(0);
    expect(plan.summary).toContain("hello from v1");
    expect(await greeting(name)).toBe("hello from v2");

    const step = await rollBack(box, inputs);
    expect(step.stdout).toContain(`release ${name}: from revision 2`);
    expect(step).toMatchObject({
      exitCode: 0,
      outputs: { verdict: "passed", changed: "true", "running-revision": "3" },
    });
    expect(await greeting(name)).toBe("hello from v1");
    expect(await helm(program, "history", name, "-n", box.namespace)).toContain(
      "Rollback to 1 by octocat: checkout fails",
    );
    expect(step.leftovers).toEqual([]);
  }, 60_000);

  it("does not come back to what it went back from", async () => {
    const step = await rollBack(box, inputs);
    expect(step.outputs.cause).toBe(`release ${name} has no earlier revision that was good.`);
    const there = await rollBack(box, { ...inputs, to: "v1" });
    expect(there.outputs.cause).toMatch(/is at revision 3 already/);
  }, 30_000);

  it("goes on to be upgraded by Helm, and back by its version", async () => {
    await upgrade(program, name, "v3");
    const step = await rollBack(box, { ...inputs, to: "v1" });
    expect(step.exitCode).toBe(0);
    expect(await greeting(name)).toBe("hello from v1");
  }, 60_000);
});

describe("a rollback of a release", () => {
  it("is refused where there is none", async () => {
    const step = await rollBack(box, { target: "release/none" });
    expect(step.outputs.cause).toBe(`Helm has no release none in namespace ${box.namespace}.`);
  }, 30_000);
});
