import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { resolveEndpoints } from "../../testbed/index.ts";
import { Dock } from "./dock.ts";

jest.setTimeout(120_000);

let dock: Dock;
beforeAll(async () => {
  await resolveEndpoints(["helm", "helm3"]);
  dock = await Dock.open("helm-before");
});
afterAll(async () => dock?.[Symbol.asyncDispose]());

const configMap = (name: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: dock.box.namespace },
});

describe.each(["helm", "helm3"])("before anything is touched, %s", (helm) => {
  it("shows what would change, and stops there in the mode plan", async () => {
    const of = dock.name();
    const first = await dock.release({ release: of, helm, mode: "plan" });
    expect(first.outputs).toMatchObject({ verdict: "passed", revision: "" });
    expect(JSON.parse(first.outputs.changes ?? "")).toMatchObject({ added: 2, changed: 0 });
    expect(await dock.history(of)).toEqual([]);

    await dock.release({ release: of, helm, values: `{secret: anchors-aweigh, extra: ${of}-old}` });
    const values = `{text: two, secret: anchors-astern, extra: ${of}-new, replicas: 2}`;
    const plan = await dock.release({ release: of, helm, values, mode: "plan" });
    expect(plan.summary).toMatch(
      /^## ✅ .*: a plan, nothing was changed: 1 removed, 2 changed, 1 added/,
    );
    expect(plan.summary).toContain("- spec.replicas: 1\n+ spec.replicas: 2");
    expect(plan.summary).toContain("env[TEXT].value: two");
    expect(plan.summary).toContain("+ data.key: (hidden, another)");
    expect(plan.summary).toMatch(/configmap\/buoy.*old is deleted/);
    const shown = `${plan.stdout}${plan.summary}${plan.outputs.changes}`;
    for (const secret of ["anchors-aweigh", "anchors-astern"]) {
      const masks = shown.split("\n").filter((line) => !line.startsWith("::add-mask::"));
      expect(masks.join("\n")).not.toContain(secret);
      expect(shown).not.toContain(Buffer.from(secret).toString("base64"));
    }
    expect(await dock.history(of)).toHaveLength(1);
    expect(await dock.leases()).not.toContain(`seaworthy-${of}`);
  });

  it("finds out what the API server would refuse, all of it at once", async () => {
    const of = dock.name();
    await dock.box.cluster.create(configMap(`${of}-3`));
    await dock.box.cluster.create(configMap(`${of}-4`));
    const ended = await dock.release({ release: of, helm, values: "{many: 5, replicas: -1}" });
    expect(ended.outputs.cause).toMatch(new RegExp(`deployment/${of}: .*spec.replicas.*-1`));
    expect(ended.outputs.cause).toContain(`configmap/${of}-3: it exists, and it is no release's`);
    expect(ended.outputs.cause).toContain(`configmap/${of}-4: `);
    expect(ended.stdout).toMatch(/Nothing was changed/);
    expect(await dock.history(of)).toEqual([]);
  });

  it("names a kind that the cluster does not serve", async () => {
    const ended = await dock.release({
      release: dock.name(),
      helm,
      values: "custom: a.example/v1",
    });
    expect(ended.outputs.cause).toBe(
      "The chart has a Widget of a.example/v1, which this cluster does not serve.",
    );
  });
});

describe("fields of others", () => {
  it("are told by their manager, and are taken over only when that is asked for", async () => {
    const of = dock.name();
    await dock.release({ release: of });
    await dock.box.cluster.patch(
      { apiVersion: "apps/v1", kind: "Deployment", namespace: dock.box.namespace, name: of },
      { spec: { replicas: 2 } },
      "merge",
      { fieldManager: "somebody" },
    );
    const ended = await dock.release({ release: of, values: "replicas: 3" });
    expect(ended.outputs.cause).toBe(
      `deployment/${of}: the manager "somebody" owns .spec.replicas.`,
    );
    expect(await dock.history(of)).toHaveLength(1);
    const inputs = { release: of, values: "replicas: 3", "force-conflicts": "true" };
    expect((await dock.release(inputs)).outputs.verdict).toBe("passed");
    expect((await dock.deployment(of))?.spec.replicas).toBe(3);
  });
});

describe.each(["helm", "helm3"])("an autoscaler's replicas, with %s", (helm) => {
  it("are kept by an upgrade and by a rollback", async () => {
    const of = dock.name();
    const { cluster, namespace } = dock.box;
    await dock.release({ release: of, helm });
    const spec = {
      minReplicas: 1,
      maxReplicas: 4,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: of },
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
    };
    const metadata = { name: of, namespace };
    await cluster.create({
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata,
      spec,
    } as never);
    const web = { apiVersion: "apps/v1", kind: "Deployment", namespace, name: of };
    const scale = (replicas: number) =>
      cluster.patch(web, { spec: { replicas } }, "merge", { subresource: "scale" });
    await scale(2);
    const upgraded = await dock.release({ release: of, helm, values: "text: two" });
    expect(upgraded.stdout).toContain(
      "has 2 replicas by its autoscaler (the chart says 1): that is kept",
    );
    expect(upgraded.outputs.verdict).toBe("passed");
    expect((await dock.deployment(of))?.spec.replicas).toBe(2);
    await scale(3);
    const broken = await dock.release({
      release: of,
      helm,
      images: dock.missing,
      values: "text: three",
    });
    expect(broken.outputs).toMatchObject({ "rolled-back": "true", "running-revision": "4" });
    expect((await dock.deployment(of))?.spec.replicas).toBe(3);
    expect(await dock.text(of)).toBe("two");
  });
});

describe("a post-renderer", () => {
  const script = "#!/bin/sh\nsed 's/plain/rendered/'\n";

  it.each(["helm", "helm3"])("is a program with %s", async (helm) => {
    const of = dock.name();
    await dock.runner.write("post.sh", script, 0o755);
    const inputs = { release: of, helm, values: "text: plain", "post-renderer": "./post.sh" };
    const step = await dock.release(inputs);
    expect(step.outputs.verdict).toBe("passed");
    expect(await dock.text(of)).toBe("rendered");
    expect(step.leftovers).toEqual([]);
  });

  it("that fails is told in its own words, and nothing is touched", async () => {
    const of = dock.name();
    await dock.runner.write("bad.sh", "#!/bin/sh\necho no such patch >&2\nexit 3\n", 0o755);
    const ended = await dock.release({ release: of, "post-renderer": "./bad.sh" });
    expect(ended.outputs.cause).toBe("./bad.sh ended with exit status 3: no such patch.");
    const missing = await dock.release({ release: of, "post-renderer": "no-such-program" });
    expect(missing.outputs.cause).toMatch(/There is no program "no-such-program"/);
    expect(await dock.history(of)).toEqual([]);
  });
});
