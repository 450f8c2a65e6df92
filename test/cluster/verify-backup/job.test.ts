import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { openThrowAway } from "../../../shared/postgres-restore/index.ts";
import { bundleOf, startStep } from "../../runner/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { Papers } from "../backup-database/database.ts";
import { account, READER } from "../kubernetes/account.ts";
import { type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";

jest.setTimeout(120_000);

let papers: Papers;
let box: Sandbox;
let job: Record<string, string>;
beforeAll(async () => {
  [papers, box] = await Promise.all([Papers.open("17"), sandbox("job")]);
  const { images } = await resolveEndpoints(["postgres-17-image"]);
  const { namespace, endpoints } = box;
  job = { server: "job", image: images["postgres-17-image"] ?? "", namespace, memory: "256Mi" };
  job.kubeconfig = endpoints.kubeconfig;
  await papers.backUp({});
});
afterAll(async () => {
  await papers?.[Symbol.asyncDispose]();
  await box?.[Symbol.asyncDispose]();
});

/** All that a throw-away server is made of. */
async function left(): Promise<string[]> {
  const kinds = [
    ["batch/v1", "Job"],
    ["v1", "Pod"],
    ["v1", "PersistentVolumeClaim"],
    ["networking.k8s.io/v1", "NetworkPolicy"],
  ] as const;
  const lists = kinds.map(([apiVersion, kind]) =>
    box.cluster.list({ apiVersion, kind, namespace: box.namespace }),
  );
  const all = (await Promise.all(lists)).flatMap(({ items }) => items);
  return all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

describe("a throw-away server in the cluster", () => {
  it("proves a backup, says how it was kept apart, and leaves nothing", async () => {
    const step = await papers.verify({ ...job, record: "false" });
    expect({ cause: step.outputs.cause, tier: step.outputs.tier }).toEqual({
      ...{ cause: "", tier: "full" },
    });
    const path = join(papers.runner.workspace, "backup-verification/report.json");
    const { circumstances } = JSON.parse(readFileSync(path, "utf8"));
    expect(circumstances.server).toContain(`in namespace ${box.namespace}`);
    expect(circumstances.isolation).toMatch(/an unprivileged user.*no network/);
    expect(await left()).toEqual([]);
  });

  it("is given up at once where its image is not there", async () => {
    const image = `${job.image?.split("/")[0]}/no-such/postgres:17`;
    const step = await papers.verify({ ...job, image, record: "false" });
    expect(step.outputs.cause).toContain(`image ${image} not found`);
    expect(step.milliseconds).toBeLessThan(25_000);
    expect(await left()).toEqual([]);
  });

  it("is not begun where rights, the storage class or the namespace are missing", async () => {
    const { kubeconfig } = await account(box, "reader", READER);
    const own = { kubeconfig: box.endpoints.kubeconfig, namespace: box.namespace };
    const cases = [
      [{ kubeconfig }, /may not create jobs\.batch.*pods\/exec.*create networkpolicies/s],
      [{ volumeSize: "1Gi", volumeClass: "golden" }, /no storage class golden/],
      [{ volumeClass: "golden" }, /`volume-size` is not given/],
      [{ namespace: `${box.namespace}-x` }, /namespace .* does not exist/],
    ] as const;
    for (const [settings, words] of cases) {
      const cluster = { ...own, ...settings };
      const opening = openThrowAway({ server: "job", cluster }, testWorld().world);
      await expect(opening).rejects.toMatchObject({ cause: expect.stringMatching(words) });
    }
    expect(await left()).toEqual([]);
  });

  it("leaves nothing when it is cancelled", async () => {
    const inputs = { name: "papers", storage: "kept", tier: "full", ...job };
    const { child, finished, logged } = await startStep(bundleOf("verify-backup"), {
      ...{ inputs, runner: papers.runner },
    });
    await logged(/Starting a throw-away server as Job/);
    await logged(/1 running/);
    child.kill("SIGTERM");
    expect((await finished).outputs.verdict).toBe("cancelled");
    // The cluster has been told to remove it, and does so in its own time.
    for (let tries = 0; tries < 50 && (await left()).length > 0; tries += 1) await delay(200);
    expect(await left()).toEqual([]);
  });
});
