import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  type KubernetesObject,
  type ObjectRef,
  refOf,
  waitForRollout,
} from "../../../shared/kubernetes/index.ts";
import { bundleOf, failureOf, snapshot, startStep } from "../../runner/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";
import { rollBack, setting } from "./sandboxed-step.ts";

const { world } = testWorld();
let box: Sandbox;

beforeAll(async () => {
  box = await sandbox("rollback");
});
afterAll(async () => box?.[Symbol.asyncDispose]());

/** Applies objects and waits until they are out. */
async function out(...objects: readonly KubernetesObject[]): Promise<void> {
  for (const object of objects) await box.cluster.apply(object, { force: true });
  const options = { deadline: Date.now() + 60_000, world };
  const report = await waitForRollout(box.cluster, objects.map(refOf), options);
  if (report.verdict !== "ready") throw new Error(report.cause?.message);
}

const ENV = (value: string) => ({ env: [{ name: "VERSION", value }] });

function versioned(name: string, version: string, parts: object = {}) {
  const made = deployment(box, name, { replicas: 2, container: { ...ENV(version), ...parts } });
  made.spec.template.metadata.labels = Object.assign(
    { "app.kubernetes.io/version": version },
    made.spec.template.metadata.labels,
  );
  return made;
}

function of(kind: "StatefulSet" | "DaemonSet", name: string, version: string, parts: object = {}) {
  const { spec, ...rest } = versioned(name, version, parts);
  const { paused: _, replicas, ...common } = spec;
  const own = kind === "StatefulSet" ? { replicas, serviceName: name } : {};
  return { ...rest, kind, spec: { ...common, ...own } };
}

interface Templated extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly env?: readonly { value: string }[] }[];
      };
    };
  };
}

async function versionOf(ref: ObjectRef): Promise<string | undefined> {
  const { spec } = await box.cluster.get<Templated>(ref);
  return spec.template.spec.containers[0]?.env?.[0]?.value;
}

const ref = (kind: string, name: string): ObjectRef => ({
  apiVersion: "apps/v1",
  kind,
  namespace: box.namespace,
  name,
});

describe("a Deployment", () => {
  it("goes back to the previous good revision, and the record says who and why", async () => {
    await out(versioned("web", "v1"));
    await out(versioned("web", "v2"));
    const plan = await rollBack(box, { target: "deployment/web", mode: "plan" });
    expect(plan).toMatchObject({ exitCode: 0, outputs: { changed: "false", to: "revision 1" } });
    expect(plan.summary).toContain("v2");
    expect(await versionOf(ref("Deployment", "web"))).toBe("v2");

    const step = await rollBack(box, { target: "deployment/web" });
    expect(step.stdout).toContain("deployment/web: from revision 2 back to revision 1.");
    expect(step).toMatchObject({
      exitCode: 0,
      outputs: { verdict: "passed", from: "revision 2", to: "revision 1", changed: "true" },
    });
    expect(await versionOf(ref("Deployment", "web"))).toBe("v1");
    const { metadata } = await box.cluster.get(ref("Deployment", "web"));
    expect(metadata.annotations?.["kubernetes.io/change-cause"]).toBe(
      "back to revision 1 by octocat: checkout fails",
    );
    expect(JSON.parse(metadata.annotations?.["seaworthy.dev/rollback"] ?? "")).toMatchObject({
      by: "octocat",
      reason: "checkout fails",
      from: "revision 2",
      to: "revision 1",
    });
  }, 60_000);

  it("does not come back to what it was rolled back from, and says when nothing is left", async () => {
    const step = await rollBack(box, { target: "deployment/web" });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toBe("deployment/web has no earlier revision that was good.");
    expect(step.outputs.changed).toBe("false");
  }, 30_000);

  it.each([
    ["its number of before", "1", /would change nothing|already/],
    ["a version that is there", "v2", undefined],
    ["a version that never was", "v9", /does not have a revision of version v9/],
  ])(
    "goes by %s",
    async (_, to, words) => {
      const step = await rollBack(box, { target: "deployment/web", to, mode: "plan" });
      if (words === undefined) expect(step).toMatchObject({ exitCode: 0 });
      else expect(step.outputs.cause).toMatch(words);
    },
    30_000,
  );

  it("goes back past a revision that never ran, while its predecessor still serves", async () => {
    await out(versioned("api", "v1"));
    for (const version of ["v2", "v3"]) {
      await box.cluster.apply(
        versioned("api", version, { image: `${box.endpoints.busyboxImage}-no` }),
      );
      await seen(async () => (await revisionsOf("api")).length === Number(version.slice(1)));
    }
    const step = await rollBack(box, { target: "deployment/api" });
    expect(step).toMatchObject({ exitCode: 0, outputs: { to: "revision 1" } });
  }, 60_000);

  it("is refused where the registry no longer has the image", async () => {
    const gone = `${box.endpoints.registry}/testbed/gone:v1`;
    await box.cluster.apply(versioned("lost", "v1", { image: gone }));
    await seen(async () => (await revisionsOf("lost")).length === 1);
    await out(versioned("lost", "v2"));
    const step = await rollBack(box, { target: "deployment/lost" });
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({ changed: "false" });
    const { said, kept } = snapshot("rollback", failureOf(step), { [gone]: "ghcr.io/shop/web:v1" });
    expect(said).toBe(kept);
    expect(await versionOf(ref("Deployment", "lost"))).toBe("v2");
  }, 60_000);

  it("is refused where data were migrated, until the user knows better", async () => {
    const schema = (version: string, value: string) => {
      const made = versioned("ledger", version);
      const annotations = { "seaworthy.dev/data-schema": value };
      Object.assign(made.spec.template.metadata, { annotations });
      return made;
    };
    await out(schema("v1", "6"));
    await out(schema("v2", "7"));
    const refused = await rollBack(box, { target: "deployment/ledger" });
    expect(refused.outputs.cause).toContain("has left its data in schema 7");
    expect(await versionOf(ref("Deployment", "ledger"))).toBe("v2");
    const step = await rollBack(box, { target: "deployment/ledger", "data-schema": "6" });
    expect(step.exitCode).toBe(0);
    expect(await versionOf(ref("Deployment", "ledger"))).toBe("v1");
  }, 60_000);

  it("is refused where it is paused", async () => {
    await out(versioned("still", "v1"));
    await out(versioned("still", "v2"));
    await box.cluster.patch(ref("Deployment", "still"), { spec: { paused: true } });
    const step = await rollBack(box, { target: "deployment/still" });
    expect(step.outputs.cause).toContain("deployment/still is paused");
  }, 60_000);
});

describe("workloads of other kinds", () => {
  it("a StatefulSet whose broken pod blocks it, and a DaemonSet, go back together", async () => {
    await out(of("StatefulSet", "db", "v1"), of("DaemonSet", "agent", "v1"));
    await out(of("DaemonSet", "agent", "v2"));
    const broken = of("StatefulSet", "db", "v2", { command: ["false"] });
    await box.cluster.apply(broken);
    // A pod of the former version that is on its way out is not ready either.
    const isStuck = (pod: Pod) => !isReady(pod) && pod.spec.containers[0]?.command?.[0] === "false";
    await seen(async () => (await podsOf("db")).some(isStuck));
    const step = await rollBack(box, { target: "statefulset/db daemonset/agent" });
    expect(step.stdout).toContain("statefulset/db: deleted db-1");
    expect(step.exitCode).toBe(0);
    expect(await versionOf(ref("StatefulSet", "db"))).toBe("v1");
    expect(await versionOf(ref("DaemonSet", "agent"))).toBe("v1");
  }, 90_000);
});

describe("a rollback", () => {
  it("tells how long users were affected", async () => {
    const selector = { app: "shop" };
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "shop", namespace: box.namespace },
      spec: { selector, ports: [{ port: 80, targetPort: 8080 }] },
    };
    await box.cluster.apply(service as KubernetesObject);
    const recreate = (version: string, parts: object = {}) => {
      const made = versioned("shop", version, parts);
      return { ...made, spec: { ...made.spec, strategy: { type: "Recreate" } } };
    };
    await out(recreate("v1"));
    await box.cluster.apply(recreate("v2", { command: ["false"] }));
    await seen(async () => {
      const pods = await podsOf("shop");
      return pods.length > 0 && pods.every((pod) => !isReady(pod));
    });
    const step = await rollBack(box, { target: "deployment/shop" });
    expect(step).toMatchObject({ exitCode: 0, outputs: { "users-hurt": "yes" } });
    expect(Number(step.outputs["affected-seconds"])).toBeGreaterThan(0);
    expect(step.summary).toContain("Users were hurt for");
  }, 60_000);

  it("says what was gone back to does not run either", async () => {
    await box.cluster.apply(versioned("twice", "v1", { command: ["false"] }));
    await seen(async () => (await revisionsOf("twice")).length === 1);
    await box.cluster.apply(versioned("twice", "v2", { command: ["false"] }));
    await seen(async () => (await revisionsOf("twice")).length === 2);
    const step = await rollBack(box, { target: "deployment/twice", "restarts-allowed": "0" });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toMatch(
      /was put back to revision 1, and that is not healthy: .*crashed/,
    );
  }, 60_000);

  it.each(["SIGINT", "SIGTERM"] as const)(
    "leaves one or the other revision at %s",
    async (signal) => {
      const name = `cut-${signal.toLowerCase()}`;
      await out(versioned(name, "v1"));
      await out(versioned(name, "v2"));
      const step = await startStep(
        bundleOf("rollback"),
        setting(box, { target: `deployment/${name}` }),
      );
      await step.logged(/back to revision 1\./);
      step.child.kill(signal);
      const ended = await step.finished;
      expect(ended.outputs.verdict).toBe("cancelled");
      expect(ended.milliseconds).toBeLessThan(15_000);
      expect(["v1", "v2"]).toContain(await versionOf(ref("Deployment", name)));
      const leases = {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        namespace: box.namespace,
      };
      expect((await box.cluster.list(leases)).items).toEqual([]);
      const again = await rollBack(box, { target: `deployment/${name}`, to: "v1" });
      expect(
        again.exitCode === 0 || /would change nothing|already/.test(again.outputs.cause ?? ""),
      ).toBe(true);
      expect(await versionOf(ref("Deployment", name))).toBe("v1");
    },
    60_000,
  );

  it.each([
    [
      "a workload that is not there",
      { target: "deployment/none" },
      /deployments.*none.*not found/i,
    ],
    ["a kind that cannot go back", { target: "job/web" }, /nothing that can be rolled back/],
    ["a revision of no form", { target: "deployment/web", to: "sha256:12" }, /names no revision/],
  ])(
    "tells %s",
    async (_, inputs, words) => {
      const step = await rollBack(box, inputs);
      expect(step.exitCode).toBe(1);
      expect(step.outputs.cause).toMatch(words);
    },
    30_000,
  );
});

interface Pod extends KubernetesObject {
  readonly spec: { readonly containers: readonly { readonly command?: readonly string[] }[] };
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
}

const isReady = ({ status }: Pod) =>
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;

async function podsOf(app: string): Promise<readonly Pod[]> {
  const list = {
    apiVersion: "v1",
    kind: "Pod",
    namespace: box.namespace,
    labelSelector: `app=${app}`,
  };
  return (await box.cluster.list<Pod>(list)).items;
}

async function revisionsOf(app: string): Promise<readonly KubernetesObject[]> {
  const list = { apiVersion: "apps/v1", kind: "ReplicaSet", namespace: box.namespace };
  return (await box.cluster.list({ ...list, labelSelector: `app=${app}` })).items;
}

async function seen(condition: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error("the cluster never came to that");
    await world.clock.sleep(100);
  }
}
