import { describe, expect, it } from "@jest/globals";
import { Runner } from "../../runner/index.ts";
import { Harbour, mapOf, pinned, verdictOf } from "./harbour.ts";

const SERVICES = ["core-service", "ai-service", "frontend"] as const;

/** Three Deployments as a team has them that runs `kubectl set image` for each. */
async function study(): Promise<Harbour> {
  const harbour = await Harbour.open("study");
  const first = await Promise.all(SERVICES.map((name) => harbour.image(name, "v1")));
  await harbour.create(
    ...SERVICES.flatMap((name, at) => {
      const image = first[at];
      return image === undefined ? [] : [harbour.deployment(name, image)];
    }),
  );
  return harbour;
}

describe("images only", () => {
  it.concurrent("sets three services as one deploy, and puts all three back when one of them breaks", async () => {
    await using harbour = await study();
    const images = Object.fromEntries(
      await Promise.all(
        SERVICES.map(async (name) => [name, await harbour.image(name, "v2")] as const),
      ),
    );
    // As the job's file this time, the way build-push leaves it; as the input from then on.
    await using runner = await Runner.create({ "images.json": mapOf(images) });
    const good = await harbour.deploy({ "images-file": "images.json" }, {}, runner);
    expect(verdictOf(good, "passed")).toBe("passed");
    expect(good.outputs).toMatchObject({ verdict: "passed", changed: "3", "rolled-back": "false" });
    for (const [name, image] of Object.entries(images)) {
      expect(await harbour.images("Deployment", name)).toEqual({ [name]: pinned(image) });
    }
    expect(JSON.parse(good.outputs.report ?? "").images).toEqual(
      Object.keys(images).map((service) => expect.objectContaining({ service, verdict: "proved" })),
    );
    const { annotations } = (await harbour.live("Deployment", "frontend")).metadata;
    expect(annotations?.["kubernetes.io/change-cause"]).toMatch(/^frontend sha256:/);

    const before = await Promise.all(
      SERVICES.map((name) => harbour.generation("Deployment", name)),
    );
    const same = await harbour.deploy({ images: mapOf(images) });
    expect([same.exitCode, same.outputs.changed]).toEqual([0, "0"]);
    const after = await Promise.all(SERVICES.map((name) => harbour.generation("Deployment", name)));
    expect(after).toEqual(before);

    const broken = {
      ...images,
      frontend: await harbour.image("frontend", "v3"),
      "ai-service": await harbour.image("ai-service", "v3", {
        entrypoint: ["sh", "-c", "echo Error: no model at /models >&2; exit 3"],
      }),
    };
    const bad = await harbour.deploy({ images: mapOf(broken), "restarts-allowed": "1" });
    expect(verdictOf(bad, "failed")).toBe("failed");
    expect(bad.outputs).toMatchObject({
      verdict: "failed",
      "rolled-back": "true",
      "users-hurt": expect.any(String),
    });
    expect(bad.outputs.cause).toMatch(
      /deployment\/ai-service: container "ai-service" of pod .* crashed 2 times with exit code 3.*no model at/,
    );
    for (const [name, image] of Object.entries(images)) {
      expect(await harbour.images("Deployment", name)).toEqual({ [name]: pinned(image) });
    }
    expect(bad.stdout).toMatch(/Put back what deployment\/.* ran before, which is healthy/);
  }, 240_000);

  it.concurrent("heals what a run that died left half done, and stops cleanly when it is told to", async () => {
    await using harbour = await study();
    const was = await harbour.images("Deployment", "core-service");
    // Never ready: the rollout goes on until somebody ends it.
    const slow = await harbour.image("core-service", "v2", { entrypoint: ["sleep", "1000"] });
    const died = await harbour.start({ images: mapOf({ "core-service": slow }) });
    await died.logged(/Revision 1 of live is applied/);
    died.child.kill("SIGKILL");
    await died.finished;
    expect(await harbour.images("Deployment", "core-service")).toEqual({
      "core-service": pinned(slow),
    });

    const frontend = await harbour.image("frontend", "v2");
    const healed = await harbour.deploy({ images: mapOf({ frontend }) });
    expect(verdictOf(healed, "passed")).toBe("passed");
    expect(healed.stdout).toContain("deployment/core-service was put back");
    expect(await harbour.images("Deployment", "core-service")).toEqual(was);
    expect(await harbour.images("Deployment", "frontend")).toEqual({ frontend: pinned(frontend) });

    const stopped = await harbour.start({ images: mapOf({ "core-service": slow }) });
    await stopped.logged(/Revision 3 of live is applied/);
    const told = performance.now();
    stopped.child.kill("SIGINT");
    const { outputs, exitCode } = await stopped.finished;
    // The runner kills what has not ended 10 s after it was told to.
    expect(performance.now() - told).toBeLessThan(10_000);
    expect([exitCode, outputs.verdict, outputs["rolled-back"]]).toEqual([1, "cancelled", "true"]);
    expect(await harbour.images("Deployment", "core-service")).toEqual(was);
  }, 240_000);

  it.concurrent("goes back to what was good however often runs died before, with what the pods read", async () => {
    await using harbour = await study();
    const names = ["core-service", "frontend"];
    const secrets = "app: { from-env: TOKEN }";
    const state = async () => {
      const { data } = (await harbour.box.cluster.get(harbour.ref("Secret", "app"))) as {
        data?: object;
      };
      return {
        data,
        images: await Promise.all(names.map((name) => harbour.images("Deployment", name))),
      };
    };
    const first = await harbour.deploy({ secrets }, { TOKEN: "good-token" });
    expect(verdictOf(first, "passed")).toBe("passed");
    const good = await state();
    for (const [round, delay] of [60, 250].entries()) {
      const images = await Promise.all(
        names.map(
          async (name) =>
            [
              name,
              await harbour.image(name, `k${round}`, { entrypoint: ["sleep", "1000"] }),
            ] as const,
        ),
      );
      const inputs = { images: mapOf(Object.fromEntries(images)), secrets };
      const run = await harbour.start(inputs, { TOKEN: `token-of-round-${round}` });
      await run.logged(/What changes/);
      setTimeout(() => run.child.kill("SIGKILL"), delay);
      await run.finished;
    }
    const missing = {
      ...(await harbour.image("frontend", "x")),
      digest: `sha256:${"1".repeat(64)}`,
    };
    const bad = await harbour.deploy(
      { images: mapOf({ frontend: missing }), secrets },
      { TOKEN: "last-token" },
    );
    expect(verdictOf(bad, "failed")).toBe("failed");
    expect(await state()).toEqual(good);
  }, 240_000);

  it.concurrent("reaches StatefulSets, DaemonSets, CronJobs, several containers and init containers", async () => {
    await using harbour = await Harbour.open("kinds");
    const [old, web, side] = await Promise.all([
      harbour.image("web", "v1"),
      harbour.image("web", "v2"),
      harbour.image("side", "v1", { entrypoint: ["sleep", "1000"] }),
    ]);
    const image = `${old.repository}:${old.tag}`;
    const quick = { terminationGracePeriodSeconds: 0 };
    const containers = [
      { name: "web", image },
      { name: "sidecar", image: `${side.repository}:v1` },
    ];
    const initContainers = [{ name: "migrate", image, command: ["true"] }];
    const template = (app: string, spec: object) => ({
      metadata: { labels: { app } },
      spec: { ...quick, ...spec },
    });
    const workload = (kind: string, app: string, spec: object, more: object = {}) => ({
      apiVersion: "apps/v1",
      kind,
      metadata: { name: app, namespace: harbour.namespace },
      spec: { selector: { matchLabels: { app } }, template: template(app, spec), ...more },
    });
    await harbour.create(
      workload(
        "StatefulSet",
        "db",
        { containers: [{ name: "web", image }] },
        { serviceName: "db", replicas: 1 },
      ),
      workload(
        "StatefulSet",
        "still",
        { containers: [{ name: "web", image }] },
        { serviceName: "x", updateStrategy: { type: "OnDelete" } },
      ),
      workload("DaemonSet", "agent", { containers: [{ name: "web", image }] }),
      workload("Deployment", "shop", { containers, initContainers }),
      {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name: "tidy", namespace: harbour.namespace },
        spec: {
          schedule: "0 3 * * *",
          jobTemplate: {
            spec: {
              template: { spec: { containers: [{ name: "tidy", image }], restartPolicy: "Never" } },
            },
          },
        },
      },
    );
    const step = await harbour.deploy({ images: mapOf({ web }) });
    expect(verdictOf(step, "passed")).toBe("passed");
    expect(step.stdout).toContain("OnDelete");
    expect(await harbour.images("StatefulSet", "db")).toEqual({ web: pinned(web) });
    expect(await harbour.images("DaemonSet", "agent")).toEqual({ web: pinned(web) });
    expect(await harbour.images("CronJob", "tidy")).toEqual({ tidy: pinned(web) });
    expect(await harbour.images("Deployment", "shop")).toEqual({
      migrate: pinned(web),
      web: pinned(web),
      sidecar: `${side.repository}:v1`,
    });
    expect(step.summary).toMatch(/cronjob\/tidy uses the image at its next run/);

    // The trap: a StatefulSet waits for its broken pod for ever, also after it was put back.
    const broken = await harbour.image("web", "v3", { entrypoint: ["/no/such/program"] });
    const lines = "sts/db:web=web";
    const bad = await harbour.deploy({ images: mapOf({ web: broken }), workloads: lines });
    expect(verdictOf(bad, "failed")).toBe("failed");
    expect(bad.outputs["rolled-back"]).toBe("true");
    expect(bad.stdout).toMatch(/which is healthy/);
    expect(await harbour.images("StatefulSet", "db")).toEqual({ web: pinned(web) });
  }, 240_000);

  it.concurrent("touches nothing where anything is unclear, and warns of what others own", async () => {
    await using harbour = await Harbour.open("unclear");
    const [old, web] = await Promise.all([harbour.image("web", "v1"), harbour.image("web", "v2")]);
    const owned = harbour.deployment("web", old);
    const paused = harbour.deployment("still", old);
    await harbour.create(
      {
        ...owned,
        metadata: {
          ...owned.metadata,
          labels: { ...owned.metadata.labels, "app.kubernetes.io/managed-by": "Helm" },
          annotations: {
            "meta.helm.sh/release-name": "shop",
            "meta.helm.sh/release-namespace": "x",
          },
        },
      },
      { ...paused, spec: { ...paused.spec, replicas: 0, paused: true } },
    );
    const generation = await harbour.generation("Deployment", "web");
    const run = (inputs: Record<string, string>) => harbour.deploy(inputs);
    const [misspelt, stopped, planned, nowhere] = await Promise.all([
      run({ images: mapOf({ wbe: { ...web, repository: "r/wbe" } }), name: "one" }),
      run({ images: mapOf({ web }), name: "two" }),
      run({ images: mapOf({ web }), name: "three", mode: "plan", workloads: "deployment/web=web" }),
      run({ images: mapOf({ web }), name: "four", namespace: "no-such-place" }),
    ]);
    expect(misspelt.outputs.cause).toMatch(
      /wbe fits nowhere.*did you mean container web of deployment\/web/,
    );
    expect(stopped.outputs.cause).toMatch(/deployment\/still is paused/);
    expect(nowhere.outputs.cause).toMatch(/no-such-place/);
    expect(verdictOf(planned, "passed")).toBe("passed");
    expect(planned.stdout).toMatch(/Helm release shop/);
    expect(planned.outputs.changes).toContain(web.digest);
    expect(await harbour.generation("Deployment", "web")).toBe(generation);
  }, 240_000);
});
