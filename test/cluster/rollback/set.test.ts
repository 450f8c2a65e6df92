import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type DeploySettings, deploySet, noFacts } from "../../../shared/apply-set/index.ts";
import { Journal } from "../../../shared/journal/index.ts";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";
import { rollBack } from "./sandboxed-step.ts";

const { world } = testWorld();
let box: Sandbox;

beforeAll(async () => {
  box = await sandbox("rollback-set");
});
afterAll(async () => box?.[Symbol.asyncDispose]());

const SETTINGS: DeploySettings = {
  fieldManager: "seaworthy",
  forceConflicts: false,
  recreate: ["Job"],
  unknownFields: "refuse",
  createNamespace: false,
  otherNamespaces: [],
  prune: { by: "set", most: {}, alsoKinds: [] },
  timeout: 60_000,
  restartsAllowed: 2,
  onFailure: "rollback",
  keepRevisions: 10,
};

/** Applies the set `shop` as it is in a version: a web server, its settings, and a migration. */
async function apply(version: string, more: readonly KubernetesObject[] = []): Promise<void> {
  const { namespace } = box;
  const settings = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings", namespace },
    data: { greeting: `hello from ${version}` },
  };
  const migrate = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate", namespace },
    spec: {
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [
            { name: "main", image: box.endpoints.busyboxImage, command: ["echo", version] },
          ],
        },
      },
    },
  };
  const web = deployment(box, "web", { container: { env: [{ name: "VERSION", value: version }] } });
  const objects = [settings, migrate, web, ...more].map((object) => ({ object, origin: "test" }));
  const order = {
    set: { name: "shop", namespace },
    settings: { ...SETTINGS, version },
    wanted: async () => ({ objects, images: [] }),
  };
  await deploySet(box.cluster, order, world, new Journal(world.clock), noFacts());
}

interface Detailed extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: {
      readonly spec: { readonly containers: readonly { readonly command: readonly string[] }[] };
    };
  };
}

const find = (apiVersion: string, kind: string, name: string) =>
  box.cluster.find<Detailed>({ apiVersion, kind, namespace: box.namespace, name });

describe("a set that apply-manifests applied", () => {
  it("goes back as a whole: what came later goes, and Jobs stay as they are", async () => {
    await apply("v1");
    const extra = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "extra", namespace: box.namespace },
    };
    await apply("v2", [extra]);
    const plan = await rollBack(box, { target: "set/shop", mode: "plan" });
    expect(plan.exitCode).toBe(0);
    expect(plan.summary).toContain("hello from v1");
    expect((await find("v1", "ConfigMap", "settings"))?.data?.greeting).toBe("hello from v2");

    const step = await rollBack(box, { target: "set/shop" });
    expect(step.stdout).toContain(
      "set/shop: from revision 2 (v2) back to revision 1 (v1).".replace("set/", "set "),
    );
    expect(step).toMatchObject({
      exitCode: 0,
      outputs: { verdict: "passed", changed: "true", "running-revision": "3" },
    });
    expect((await find("v1", "ConfigMap", "settings"))?.data?.greeting).toBe("hello from v1");
    expect(await find("v1", "ConfigMap", "extra")).toBeUndefined();
    const job = await find("batch/v1", "Job", "migrate");
    expect(job?.spec?.template?.spec.containers[0]?.command).toEqual(["echo", "v2"]);
  }, 90_000);

  it("does not come back to what it went back from, nor to itself", async () => {
    const step = await rollBack(box, { target: "set/shop" });
    expect(step.outputs.cause).toBe("set shop has no earlier revision that was good.");
  }, 30_000);

  it("goes forward again by its version", async () => {
    const step = await rollBack(box, { target: "set/shop", to: "v2" });
    expect(step.exitCode).toBe(0);
    expect((await find("v1", "ConfigMap", "settings"))?.data?.greeting).toBe("hello from v2");
    expect(await find("v1", "ConfigMap", "extra")).toBeDefined();
  }, 60_000);

  it("is told when there is none", async () => {
    const step = await rollBack(box, { target: "set/none" });
    expect(step.outputs.cause).toMatch(/Nothing good was ever applied as set none/);
  }, 30_000);
});
