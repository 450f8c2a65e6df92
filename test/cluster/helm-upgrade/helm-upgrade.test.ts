import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import { failureOf, snapshot } from "../../runner/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { Dock, die, until } from "./dock.ts";

jest.setTimeout(120_000);

let dock: Dock;
beforeAll(async () => {
  await resolveEndpoints(["helm", "helm3"]);
  dock = await Dock.open("helm-upgrade");
});
afterAll(async () => dock?.[Symbol.asyncDispose]());

/** Follows how many pods of a Deployment serve, and tells the least. */
function leastServing(of: string): () => number {
  let [least, over] = [Number.POSITIVE_INFINITY, false];
  const look = async () => {
    while (!over) {
      const found = await dock.deployment(of);
      least = Math.min(least, found?.status?.availableReplicas ?? 0);
      await pause(100);
    }
  };
  void look();
  return () => {
    over = true;
    return least;
  };
}

describe.each(["helm", "helm3"])("with %s", (program) => {
  it.concurrent("installs, upgrades, proves the images, and leaves nothing behind", async () => {
    const of = dock.name();
    const first = await dock.release({ release: of, helm: program, values: "text: one" });
    expect(first).toMatchObject({ exitCode: 0, leftovers: [] });
    expect(first.outputs).toMatchObject({
      verdict: "passed",
      revision: "1",
      "previous-revision": "",
      "running-revision": "1",
      "rolled-back": "false",
    });
    const file = await dock.runner.write(`${of}/images.json`, dock.images);
    const second = await dock.release({
      release: of,
      helm: program,
      values: "text: two",
      images: "",
      "images-file": file,
    });
    expect(second.outputs).toMatchObject({
      verdict: "passed",
      revision: "2",
      "previous-revision": "1",
      "running-revision": "2",
    });
    const report = JSON.parse(second.outputs.report ?? "");
    expect(report.images).toMatchObject([
      { service: "web", verdict: "proved", containers: 1, proved: 1 },
    ]);
    expect(await dock.text(of)).toBe("two");
    expect(second.summary).toMatch(/^## ✅ .* is at revision 2: 2 of 2 ready/);
    expect(await dock.leases()).not.toContain(`seaworthy-${of}`);
  });

  it.concurrent("rolls back from a missing image with its cause, while the old version serves", async () => {
    const of = dock.name();
    await dock.release({ release: of, helm: program, values: "text: one" });
    const serving = leastServing(of);
    const broken = await dock.release({
      release: of,
      helm: program,
      values: "text: two",
      images: dock.missing,
    });
    expect(serving()).toBe(1);
    expect(broken.exitCode).toBe(1);
    expect(broken.outputs).toMatchObject({
      verdict: "failed",
      revision: "2",
      "previous-revision": "1",
      "running-revision": "3",
      "rolled-back": "true",
    });
    expect(broken.outputs.cause).toMatch(/image .*@sha256:0+ not found/);
    expect(JSON.parse(broken.outputs.report ?? "").verdictSecondsAfterCause).toBeLessThan(2);
    expect(broken.stdout).toMatch(
      /::error .*Rolled back to revision 1 \(now revision 3\), which is healthy/,
    );
    const { said, kept } = snapshot("helm-upgrade", failureOf(broken), { [of]: "shop" });
    expect(said).toBe(kept);
    expect(await dock.text(of)).toBe("one");
    expect((await dock.history(of)).map(({ status }) => status)).toEqual([
      "superseded",
      "superseded",
      "deployed",
    ]);
  });

  it.concurrent("frees a StatefulSet that is stuck in the broken revision", async () => {
    const of = dock.name();
    await dock.release({ release: of, helm: program, values: "stateful: 2" });
    const { stdout: log, outputs } = await dock.release({
      release: of,
      helm: program,
      values: "{stateful: 2, statefulCrash: true}",
    });
    expect(log).toContain(`deleted ${of}-db-1, stuck in the revision that was rolled back`);
    expect(log).toContain("Rolled back to revision 1 (now revision 3), which is healthy.");
    expect(outputs["running-revision"]).toBe("3");
  });

  it.concurrent("tells the last words of a hook that fails", async () => {
    const of = dock.name();
    await dock.release({ release: of, helm: program });
    const values = "{hookSeconds: 1, hookEnd: 'echo table is locked; exit 4'}";
    const { outputs } = await dock.release({ release: of, helm: program, values });
    expect(outputs.cause).toContain(`pre-upgrade hook job/${of}-hook: `);
    expect(outputs.cause).toContain("ended with exit code 4; its last words: table is locked");
    expect(outputs["running-revision"]).toBe("3");
  });

  it.concurrent("waits for no hook that cannot start, and leaves none behind", async () => {
    const of = dock.name();
    await dock.release({ release: of, helm: program });
    const values = "{hookSeconds: 1, hookTag: not-there}";
    const { milliseconds, outputs } = await dock.release({ release: of, helm: program, values });
    expect(outputs.cause).toContain("not found");
    expect(outputs["running-revision"]).toBe("3");
    expect(milliseconds).toBeLessThan(30_000);
    const job = { apiVersion: "batch/v1", kind: "Job", namespace: dock.box.namespace };
    expect(await dock.box.cluster.find({ ...job, name: `${of}-hook` })).toBeUndefined();
  });

  it.concurrent("uninstalls a first install that is broken", async () => {
    const of = dock.name();
    const broken = await dock.release({ release: of, helm: program, images: dock.missing });
    expect(broken.exitCode).toBe(1);
    expect(broken.outputs).toMatchObject({ "running-revision": "", "rolled-back": "true" });
    expect(broken.stdout).toMatch(/It was a first install: it was uninstalled/);
    expect(await dock.history(of)).toEqual([]);
  });

  it.concurrent("does not touch a release whose chart does not render", async () => {
    const of = dock.name();
    await dock.release({ release: of, helm: program });
    const broken = await dock.release({ release: of, helm: program, values: "broken: true" });
    expect(broken.exitCode).toBe(1);
    expect(broken.outputs.cause).toBe(
      "buoy/templates/web.yaml:2, at {{ .Values.not.there }}: .Values.not is not set, so its there cannot be read.",
    );
    expect(broken.outputs["running-revision"]).toBe("1");
    expect(broken.stdout).toMatch(/::error .*file=chart\/templates\/web.yaml,line=2/);
    expect(await dock.history(of)).toHaveLength(1);
  });

  it.concurrent("puts things right when it is cancelled in the middle of a rollout", async () => {
    const of = dock.name();
    await dock.release({ release: of, helm: program, values: "text: one" });
    const step = await dock.start({ release: of, helm: program, values: "{text: two, slow: 30}" });
    await step.logged(/Revision 2 of .* is applied/);
    const began = performance.now();
    step.child.kill("SIGINT");
    const cancelled = await step.finished;
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(cancelled.exitCode).toBe(1);
    expect(cancelled.outputs).toMatchObject({
      verdict: "cancelled",
      "rolled-back": "true",
      "running-revision": "3",
    });
    expect(cancelled.leftovers).toEqual([]);
    expect(await dock.text(of)).toBe("one");
    expect(await dock.leases()).not.toContain(`seaworthy-${of}`);
  });

  it.concurrent("puts things right when it is cancelled while Helm runs a hook of a first install", async () => {
    const of = dock.name();
    const step = await dock.start({ release: of, helm: program, values: "hookSeconds: 40" });
    await until(async () => (await dock.history(of))[0]?.status === "pending-install");
    step.child.kill("SIGINT");
    const cancelled = await step.finished;
    expect(cancelled.stdout).toMatch(/It was a first install: it was uninstalled/);
    expect(cancelled.outputs.verdict).toBe("cancelled");
    expect(await dock.history(of)).toEqual([]);
  });

  it.concurrent("heals what a run that died left pending", async () => {
    const of = dock.name();
    await dock.release({ release: of, helm: program, values: "text: one" });
    const step = await dock.start({
      release: of,
      helm: program,
      values: "{text: two, hookSeconds: 40}",
    });
    await until(async () => (await dock.history(of))[1]?.status === "pending-upgrade");
    await die(step);
    const healed = await dock.release({ release: of, helm: program, values: "text: three" });
    expect(healed.stdout).toMatch(/Took the release over from local\//);
    expect(healed.stdout).toMatch(
      /Revision 2 of .* was left pending-upgrade by a run that died: rolling back to revision 1/,
    );
    expect(healed.outputs).toMatchObject({ verdict: "passed", revision: "4" });
    expect(await dock.text(of)).toBe("three");
    expect(await dock.leases()).not.toContain(`seaworthy-${of}`);
  });
});

describe("runs that meet", () => {
  it.concurrent("takes a first install that a dead run left pending out of the way", async () => {
    const of = dock.name();
    const step = await dock.start({ release: of, values: "hookSeconds: 40" });
    await until(async () => (await dock.history(of))[0]?.status === "pending-install");
    await die(step);
    const healed = await dock.release({ release: of });
    expect(healed.stdout).toMatch(
      /was left pending-install by a run that died, and no revision was ever good: uninstalling it/,
    );
    expect(healed.outputs).toMatchObject({ verdict: "passed", "previous-revision": "" });
  });

  it.concurrent("uninstalls what a dead run's first install deployed, when it fails again", async () => {
    const of = dock.name();
    const step = await dock.start({ release: of, values: "missingConfig: true" });
    await step.logged(/Revision 1 of .* is applied/);
    await die(step);
    const again = await dock.release({ release: of, images: dock.missing });
    expect(again.outputs).toMatchObject({ verdict: "failed", "rolled-back": "true" });
    expect(await dock.history(of)).toEqual([]);
  });

  it.concurrent("goes back to what was proven, not to what a dead run deployed", async () => {
    const of = dock.name();
    await dock.release({ release: of, values: "text: one" });
    const step = await dock.start({ release: of, values: "{text: two, missingConfig: true}" });
    await step.logged(/Revision 2 of .* is applied/);
    await die(step);
    const again = await dock.release({ release: of, values: "text: two", images: dock.missing });
    expect(again.outputs).toMatchObject({
      verdict: "failed",
      "previous-revision": "1",
      "rolled-back": "true",
    });
    expect(await dock.text(of)).toBe("one");
  });

  it.concurrent("lets one wait for the other", async () => {
    const of = dock.name();
    const first = await dock.start({ release: of, values: "{text: one, slow: 12}" });
    await until(async () => (await dock.leases()).includes(`seaworthy-${of}`));
    const second = await dock.release({ release: of, values: "text: two" });
    expect((await first.finished).outputs).toMatchObject({ verdict: "passed", revision: "1" });
    expect(second.stdout).toMatch(/is working on .*: waiting for it to end/);
    expect(second.outputs).toMatchObject({
      verdict: "passed",
      revision: "2",
      "previous-revision": "1",
    });
  });

  it.concurrent("waits for a pending release without a lease until it must be dead", async () => {
    const of = dock.name();
    await dock.release({ release: of, values: "text: one" });
    const step = await dock.start({ release: of, values: "{text: two, hookSeconds: 40}" });
    await until(async () => (await dock.history(of))[1]?.status === "pending-upgrade");
    await die(step);
    await dock.box.cluster.delete({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      namespace: dock.box.namespace,
      name: `seaworthy-${of}`,
    });
    const healed = await dock.release({ release: of, values: "text: three", timeout: "15s" });
    expect(healed.stdout).toMatch(/is pending-upgrade since \d+ s, by somebody without a lease/);
    expect(healed.outputs).toMatchObject({ verdict: "passed", revision: "4" });
  });
});

describe("bad input", () => {
  it.each([
    ["a name that is a flag", { release: "--post-renderer=x" }, /release: got "--post-renderer=x"/],
    ["a name for a shell", { release: "a;touch b" }, /release: got "a;touch b"/],
    ["a name of two lines", { release: "a\n::set-output name=x::y" }, /release: got/],
    ["a chart that is a flag", { release: "a", chart: "--post-renderer=x" }, /chart: got/],
    [
      "a chart that is not there",
      { release: "a", chart: "./nowhere", images: "" },
      /There is no chart at "\.\/nowhere"/,
    ],
    ["values that are no YAML", { release: "a", values: "a: [" }, /the input values: yaml: line 1/],
    [
      "a values file that is not there",
      { release: "a", "values-files": "nope.yaml" },
      /nope\.yaml: ENOENT/,
    ],
    [
      "no such namespace",
      { release: "a", namespace: "nowhere-at-all" },
      /The namespace nowhere-at-all does not exist/,
    ],
    ["no such context", { release: "a", context: "nope" }, /has no context "nope"/],
    ["no Helm", { release: "a", helm: "no-such-helm" }, /no-such-helm was not found/],
    ["no cluster", { release: "a", kubeconfig: "/nowhere" }, /"\/nowhere".*ENOENT/],
    [
      "an image that fits nowhere",
      {
        release: "a",
        images:
          '{"a": {"repository": "r/a", "digest": "sha256:' +
          "0".repeat(64) +
          '"}, "b": {"repository": "r/b", "digest": "sha256:' +
          "0".repeat(64) +
          '"}}',
      },
      /no a\.image for the service a; its images are at image/,
    ],
    [
      "an image that the chart makes nothing of",
      { release: "a", "image-values": "web=elsewhere" },
      /The image of web was put at elsewhere, but no container/,
    ],
  ] as const)("%s", async (_, inputs, cause) => {
    const ended = await dock.release({ ...inputs });
    expect(ended.exitCode).toBe(1);
    expect(ended.outputs.cause).toMatch(cause);
    expect(ended.outputs.verdict).toBe("failed");
    expect(ended.stdout).not.toMatch(/A bug in/);
    expect(ended.stdout).not.toMatch(/^::set-output/m);
    expect(await dock.history("a")).toEqual([]);
    expect(await dock.leases()).not.toContain("seaworthy-a");
  });

  it("makes a namespace when it is told to", async () => {
    const namespace = `${dock.box.namespace}-more`;
    const ended = await dock.release({ release: "a", namespace, "create-namespace": "true" });
    await dock.box.cluster.delete({ apiVersion: "v1", kind: "Namespace", name: namespace });
    expect(ended.stdout).toMatch(/Made the namespace/);
    expect(ended.outputs.verdict).toBe("passed");
  });
});

describe("a user with few rights", () => {
  const all = ["get", "list", "watch", "create", "update", "patch", "delete"];
  const secrets = { apiGroups: [""], resources: ["secrets", "services", "configmaps"], verbs: all };
  const pods = {
    apiGroups: [""],
    resources: ["pods", "pods/log", "events"],
    verbs: ["get", "list", "watch"],
  };
  const workloads = { apiGroups: ["apps"], resources: ["deployments", "replicasets"], verbs: all };
  const leasing = { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: all };

  /** The content of a kubeconfig with the token of a service account that may do this much. */
  async function access(account: string, rules: readonly object[]): Promise<string> {
    const { cluster, namespace, endpoints } = dock.box;
    const metadata = { name: account, namespace };
    const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", metadata };
    const make = (object: object) => cluster.create(object as KubernetesObject);
    await make({ apiVersion: "v1", kind: "ServiceAccount", metadata });
    await make({ ...rbac, kind: "Role", rules });
    await make({
      ...rbac,
      kind: "RoleBinding",
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: account },
      subjects: [{ kind: "ServiceAccount", name: account, namespace }],
    });
    const args = [
      "--kubeconfig",
      endpoints.kubeconfig,
      "-n",
      namespace,
      "create",
      "token",
      account,
    ];
    const { stdout } = await promisify(execFile)(join(endpoints.bin, "kubectl"), args);
    const config = JSON.parse(await readFile(endpoints.kubeconfig, "utf8"));
    for (const entry of config.users) entry.user = { token: stdout.trim() };
    return JSON.stringify(config);
  }

  it("is told what it may not do, and nothing is left", async () => {
    const of = dock.name();
    const kubeconfig = await access("no-workloads", [secrets, pods, leasing]);
    const ended = await dock.release({ release: of, kubeconfig });
    expect(ended.exitCode).toBe(1);
    expect(ended.outputs.cause).toMatch(
      /^These credentials may not .*create, .*deployments\.apps in namespace /,
    );
    expect(ended.stdout).toMatch(/kind: Role\n[\s\S]*resources: \[deployments\]/);
    expect(await dock.history(of)).toEqual([]);
    expect(ended.leftovers).toEqual([]);
    expect(await dock.leases()).not.toContain(`seaworthy-${of}`);
  });

  it("may do without leases, and is told so", async () => {
    const kubeconfig = await access("no-leases", [secrets, pods, workloads]);
    const ended = await dock.release({ release: dock.name(), kubeconfig });
    expect(ended.stdout).toMatch(/may not use leases in namespace/);
    expect(ended.outputs.verdict).toBe("passed");
  });
});

describe("causes", () => {
  it.concurrent("tells the last words of a program that ends at once", async () => {
    const ended = await dock.release({
      release: dock.name(),
      values: 'crash: "cannot open the hatch"',
    });
    expect(ended.outputs.cause).toMatch(
      /crashed 3 times with exit code 3; its last words: cannot open the hatch/,
    );
  });

  it.concurrent("tells a ConfigMap that is missing, and keeps the release when asked to", async () => {
    const of = dock.name();
    await dock.release({ release: of });
    const ended = await dock.release({
      release: of,
      values: "missingConfig: true",
      "on-failure": "keep",
    });
    expect(ended.outputs.cause).toMatch(/configmap "buoy-\d+-missing" not found/);
    expect(ended.outputs).toMatchObject({ "rolled-back": "false", "running-revision": "2" });
    expect(await dock.history(of)).toHaveLength(2);
  });
});
