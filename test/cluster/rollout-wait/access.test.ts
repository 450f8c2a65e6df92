import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Options } from "../../../actions/rollout-wait/inputs.ts";
import { rolloutWait } from "../../../actions/rollout-wait/rollout-wait.ts";
import type { KubernetesObject, RolloutReport } from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";
import { together } from "../kubernetes/together.ts";
import { gateTo } from "./gate.ts";
import { optionsOf } from "./options.ts";

const run = promisify(execFile);

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox("rollout-wait");
  await box.cluster.apply(deployment(box, "web"));
});
afterAll(async () => box?.[Symbol.asyncDispose]());

function options(more: Partial<Options> = {}): Options {
  return optionsOf(box, { resources: ["deployment/web"], ...more });
}

interface Kubeconfig {
  clusters: { cluster: { server: string } }[];
  users: { name: string; user: Record<string, string> }[];
}

/** The test bed's kubeconfig, changed. */
async function kubeconfig(change: (config: Kubeconfig) => void): Promise<string> {
  const config = JSON.parse(await readFile(box.endpoints.kubeconfig, "utf8")) as Kubeconfig;
  change(config);
  return JSON.stringify(config);
}

function withToken(token: string): Promise<string> {
  return kubeconfig(({ users }) => {
    for (const entry of users) entry.user = { token };
  });
}

function withServer(server: string): Promise<string> {
  return kubeconfig(({ clusters }) => {
    for (const { cluster } of clusters) cluster.server = server;
  });
}

/** A service account that may do this much in the sandbox, and its token. */
async function account(name: string, rules: readonly object[]): Promise<string> {
  const { cluster, namespace, endpoints } = box;
  const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name, namespace } };
  const make = (object: object) => cluster.create(object as KubernetesObject);
  await make({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } });
  await make({ ...rbac, kind: "Role", rules });
  await make({
    ...rbac,
    kind: "RoleBinding",
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  });
  const args = ["--kubeconfig", endpoints.kubeconfig, "-n", namespace, "create", "token", name];
  return (await run(join(endpoints.bin, "kubectl"), args)).stdout.trim();
}

describe("a cluster that cannot be used", () => {
  it("says at once that nothing listens, where, and by which error", async () => {
    const began = Date.now();
    const unreachable = await withServer("https://127.0.0.1:9");
    const failing = rolloutWait(options({ kubeconfig: unreachable }), testWorld().world);
    await expect(failing).rejects.toMatchObject({
      title: "The cluster cannot be reached",
      cause: expect.stringMatching(/https:\/\/127\.0\.0\.1:9: .*ECONNREFUSED/),
    });
    expect(Date.now() - began).toBeLessThan(2_000);
  });

  it("names a host that does not exist", async () => {
    const unreachable = await withServer("https://nowhere.invalid:6443");
    await expect(
      rolloutWait(options({ kubeconfig: unreachable }), testWorld().world),
    ).rejects.toMatchObject({
      cause: expect.stringMatching(/nowhere\.invalid.*(ENOTFOUND|EAI_AGAIN)/),
    });
  });

  it("tells credentials that are not accepted", async () => {
    const refused = await withToken("wrong-token-0123456789");
    await expect(
      rolloutWait(options({ kubeconfig: refused }), testWorld().world),
    ).rejects.toMatchObject({ title: "The cluster does not accept the credentials" });
  });

  it("tells a server that another authority vouches for", async () => {
    const distrusted = await kubeconfig(({ clusters }) => {
      for (const { cluster } of clusters) {
        Object.assign(cluster, { "certificate-authority-data": undefined });
      }
    });
    await expect(
      rolloutWait(options({ kubeconfig: distrusted }), testWorld().world),
    ).rejects.toMatchObject({ title: "No secure connection to the cluster" });
  });

  it("names the verb, the resource and the namespace that are not permitted", async () => {
    const token = await account("nobody", []);
    const { world } = testWorld();
    const failing = rolloutWait(options({ kubeconfig: await withToken(token) }), world);
    await expect(failing).rejects.toMatchObject({
      cause: expect.stringMatching(
        new RegExp(`:nobody may not list \\w+ .*in namespace ${box.namespace}`),
      ),
      remedy: expect.stringContaining('verbs: ["list"]'),
    });
    expect(world.secrets.redact(token)).toBe("***");
  });

  it("does without events and logs where they may not be read, and says so", async () => {
    const read = { verbs: ["get", "list", "watch"] };
    const token = await account("reader", [
      { ...read, apiGroups: ["apps"], resources: ["deployments", "replicasets"] },
      { ...read, apiGroups: [""], resources: ["pods"] },
    ]);
    const crash = { container: { command: ["sh", "-c", "exit 1"] } };
    await box.cluster.apply(deployment(box, "crash", crash));
    const reader = { kubeconfig: await withToken(token), resources: ["deployment/crash"] };
    const { outputs } = await rolloutWait(
      options({ ...reader, restartsAllowed: 1 }),
      testWorld().world,
    );
    const { cause, evidence } = outputs.report as RolloutReport;
    expect(cause?.message).toContain("crashed 2 times with exit code 1");
    expect(evidence.unavailable.join("\n")).toMatch(
      /may not list events.*\n.*may not get pods\/log/,
    );
  }, 30_000);
});

describe("something that is not there", () => {
  together(
    {
      "suggests the nearest name after a short grace": async () => {
        const { failure, outputs } = await rolloutWait(
          options({ resources: ["deployment/wbe"] }),
          testWorld().world,
        );
        expect(failure?.cause).toContain("deployment/wbe: it does not exist");
        expect(failure?.cause).toContain("did you mean web?");
        expect(Number(outputs.seconds)).toBeLessThan(7);
      },

      "waits for what comes a moment late": async () => {
        const waiting = rolloutWait(options({ resources: ["deployment/late"] }), testWorld().world);
        await box.cluster.apply(deployment(box, "late"));
        expect((await waiting).failure).toBeUndefined();
      },

      "says that a namespace does not exist": async () => {
        const { failure } = await rolloutWait(
          options({ namespace: "no-such-place" }),
          testWorld().world,
        );
        expect(failure?.cause).toMatch(/namespace no-such-place does not exist/);
      },

      "says that a selector finds nothing": async () => {
        const nothing = options({ resources: undefined, selector: "app=nothing" });
        await expect(rolloutWait(nothing, testWorld().world)).rejects.toMatchObject({
          cause: expect.stringContaining("has the labels app=nothing"),
        });
      },

      "finds workloads by their labels": async () => {
        const { outputs } = await rolloutWait(
          options({ resources: undefined, selector: "app=web" }),
          testWorld().world,
        );
        expect((outputs.report as RolloutReport).resources.map(({ resource }) => resource)).toEqual(
          ["deployment/web"],
        );
      },
    },
    60_000,
  );
});

describe("an API server that goes away", () => {
  together(
    {
      "is waited for, said, and the verdict still comes": async () => {
        const { hostname, port } = new URL(box.cluster.server);
        await using gate = await gateTo(hostname, Number(port));
        const through = await withServer(`https://127.0.0.1:${gate.port}`);
        await box.cluster.apply(
          deployment(box, "gated", {
            container: { command: ["sh", "-c", "sleep 8; exec httpd -f -p 8080"] },
          }),
        );
        const { world, lines } = testWorld();
        const waiting = rolloutWait(
          options({ kubeconfig: through, resources: ["deployment/gated"] }),
          world,
        );
        await until(() => lines.some((line) => line.includes("not ready")));
        await gate.shut();
        await until(() => lines.some((line) => line.includes("Waiting for it to come back")));
        await gate.open();
        const { failure } = await waiting;
        expect(failure).toBeUndefined();
        expect(lines).toContain("The API server is back.");
      },

      "ends at the deadline with what is known": async () => {
        const { hostname, port } = new URL(box.cluster.server);
        await using gate = await gateTo(hostname, Number(port));
        const through = await withServer(`https://127.0.0.1:${gate.port}`);
        await box.cluster.apply(
          deployment(box, "cut", { container: { command: ["sleep", "600"] } }),
        );
        const { world, lines } = testWorld();
        const waiting = rolloutWait(
          options({ kubeconfig: through, resources: ["deployment/cut"], timeout: 6_000 }),
          world,
        );
        await until(() => lines.some((line) => line.includes("deployment/cut:")));
        await gate.shut();
        const { failure, outputs } = await waiting;
        expect(outputs).toMatchObject({ reason: "Unreachable" });
        expect(failure?.cause).toMatch(/the API server went away: .*127\.0\.0\.1/);
      },
    },
    60_000,
  );
});

async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setTimeout(resolve, 50));
}
