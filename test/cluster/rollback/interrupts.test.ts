import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { dump } from "js-yaml";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import { bundleOf, startStep } from "../../runner/index.ts";
import { deployment, type Sandbox, sandbox } from "../kubernetes/sandbox.ts";
import { rollBack, setting } from "./sandboxed-step.ts";

jest.setTimeout(400_000);

const run = promisify(execFile);
let box: Sandbox;
let folder: string;

beforeAll(async () => {
  box = await sandbox("rollback-stopped");
  folder = await mkdtemp(join(tmpdir(), "rollback-stopped-"));
});
afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** When to interrupt: at a line of the log, so much later. */
type Point = readonly [after: RegExp, milliseconds: number, signal: NodeJS.Signals];

const POINTS: readonly Point[] = [
  [/add-mask/, 300, "SIGINT"],
  [/What changes/, 400, "SIGTERM"],
  [/back to revision 1\.|Rolling back/, 0, "SIGINT"],
  [/back to revision 1\.|Rolling back/, 500, "SIGTERM"],
  [/: ready/, 0, "SIGINT"],
];

function versioned(name: string, version: string) {
  return deployment(box, name, { container: { env: [{ name: "VERSION", value: version }] } });
}

async function versionOf(name: string): Promise<string | undefined> {
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: box.namespace, name };
  const { spec } = await box.cluster.get<KubernetesObject & { readonly spec: object }>(ref);
  return /"VERSION","value":"(\w+)"/.exec(JSON.stringify(spec))?.[1];
}

async function leases(subject: string): Promise<readonly string[]> {
  const kind = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: box.namespace };
  const names = (await box.cluster.list(kind)).items.map(({ metadata }) => metadata.name);
  return names.filter((name) => name === subject);
}

/** Interrupts a rollback at a point, runs it again, and leaves what was gone back to. */
async function interrupted(
  { target, to, lease }: { readonly target: string; readonly to: string; readonly lease: string },
  [after, delay, signal]: Point,
) {
  const step = await startStep(bundleOf("rollback"), setting(box, { target, to }));
  await step.logged(after).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, delay));
  const at = performance.now();
  step.child.kill(signal);
  const ended = await step.finished;
  const left = { leases: await leases(lease), files: ended.leftovers };
  const again = await rollBack(box, { target, to });
  const back = again.exitCode === 0 || /already/.test(again.outputs.cause ?? "");
  return { stopped: performance.now() - at, left, back, why: again.outputs.cause };
}

const CLEAN = { left: { leases: [], files: [] }, back: true };

describe("a rollback that is interrupted leaves one or the other, and the next run ends it:", () => {
  it.concurrent("of a Deployment", async () => {
    for (const point of POINTS) {
      for (const version of ["v1", "v2"]) {
        await box.cluster.apply(versioned("web", version), { force: true });
        await settled("web");
      }
      const first = (await revisions("web")).find((one) => one.version === "v1")?.revision;
      const web = { target: "deployment/web", to: String(first), lease: "seaworthy-workloads" };
      const result = await interrupted(web, point);
      expect({ point, ...result }).toMatchObject({ point, ...CLEAN });
      expect(await versionOf("web")).toBe("v1");
    }
  });

  it.concurrent("of a release", async () => {
    const helm = (...args: readonly string[]) =>
      run(join(box.endpoints.bin, "helm"), [...args, "-n", box.namespace], {
        env: { ...process.env, KUBECONFIG: box.endpoints.kubeconfig },
      });
    const upgrade = async (version: string) =>
      helm("upgrade", "--install", "shop", await chart(version), "--wait");
    await upgrade("v1");
    for (const point of POINTS) {
      await upgrade("v2");
      const shop = { target: "release/shop", to: "v1", lease: "seaworthy-shop" };
      const result = await interrupted(shop, point);
      expect({ point, ...result }).toMatchObject({ point, ...CLEAN });
      expect(await versionOf("shop")).toBe("v1");
      const { stdout } = await helm("status", "shop", "-o", "json");
      expect(JSON.parse(stdout).info.status).toBe("deployed");
    }
  });
});

async function chart(version: string): Promise<string> {
  const place = join(folder, version);
  await mkdir(join(place, "templates"), { recursive: true });
  const about = { apiVersion: "v2", name: "shop", version: "1.0.0", appVersion: version };
  await writeFile(join(place, "Chart.yaml"), dump(about));
  await writeFile(join(place, "templates/web.yaml"), dump(versioned("shop", version)));
  return place;
}

async function revisions(name: string) {
  const list = { apiVersion: "apps/v1", kind: "ReplicaSet", namespace: box.namespace };
  const { items } = await box.cluster.list({ ...list, labelSelector: `app=${name}` });
  return items.map((set) => ({
    version: /"VERSION","value":"(\w+)"/.exec(JSON.stringify(set))?.[1],
    revision: set.metadata.annotations?.["deployment.kubernetes.io/revision"],
  }));
}

interface Status extends KubernetesObject {
  readonly spec: { readonly replicas: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly replicas?: number;
  };
}

/** Waits until the newest template of a Deployment runs, and nothing else of it. */
async function settled(name: string): Promise<void> {
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: box.namespace, name };
  const giveUpAt = Date.now() + 60_000;
  for (;;) {
    const { metadata, spec, status = {} } = await box.cluster.get<Status>(ref);
    const counts = [status.updatedReplicas, status.availableReplicas, status.replicas];
    const seen = status.observedGeneration === metadata.generation;
    if (seen && counts.every((count) => count === spec.replicas)) return;
    if (Date.now() > giveUpAt) throw new Error(`${name} never came up`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
