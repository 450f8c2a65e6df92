import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { RolloutReport } from "../../../shared/kubernetes/index.ts";
import { bundleOf, failureOf, runStep, snapshot } from "../../runner/index.ts";
import { deployment, type Sandbox, sandbox } from "../kubernetes/sandbox.ts";

const main = bundleOf("rollout-wait");

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox("rollout-wait");
});
afterAll(async () => box?.[Symbol.asyncDispose]());

function inputs(more: Readonly<Record<string, string>>) {
  // The content in place of the path, as it comes from a secret.
  const kubeconfig = readFileSync(box.endpoints.kubeconfig, "utf8");
  return { kubeconfig, namespace: box.namespace, ...more };
}

describe("rollout-wait as the runner runs it", () => {
  it("passes when the rollout is out", async () => {
    await box.cluster.apply(deployment(box, "web"));
    const step = await runStep(main, { inputs: inputs({ resources: "deploy/web" }) });
    expect(step).toMatchObject({ exitCode: 0, stderr: "" });
    expect(step.outputs.verdict).toBe("passed");
    expect(step.summary).toMatch(/^## ✅ Rolled out after [\d.]+ s\n\n```mermaid\ngantt/);
  }, 30_000);

  it("fails with outputs, an annotation and a summary", async () => {
    const image = `${box.endpoints.registry}/rollout-wait/none:3`;
    await box.cluster.apply(deployment(box, "broken", { container: { image } }));
    const step = await runStep(main, { inputs: inputs({ resources: "deployment/broken" }) });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.reason).toBe("ImageNotFound");
    expect(step.outputs.cause).toContain(`deployment/broken: image ${image} not found`);
    const report = JSON.parse(step.outputs.report ?? "") as RolloutReport;
    expect(report.resources[0]?.timeline.at(-1)?.state).toBe("failed");
    expect(step.commands.filter(({ name }) => name === "error")).toHaveLength(1);
    expect(step.summary).toContain("<details><summary>Events</summary>");
  }, 30_000);

  it("tells why in the words that the README shows", async () => {
    const script = "echo Error: connect ECONNREFUSED db:5432; exit 1";
    const container = { command: ["sh", "-c", script] };
    await box.cluster.apply(deployment(box, "orders", { container }));
    const step = await runStep(main, {
      inputs: inputs({ resources: "deployment/orders", "restarts-allowed": "1" }),
    });
    const { said, kept } = snapshot("rollout-wait", failureOf(step));
    expect(said).toBe(kept);
  }, 60_000);

  it("shows nothing secret of the kubeconfig", async () => {
    const step = await runStep(main, { inputs: inputs({ resources: "deployment/web" }) });
    const config = JSON.parse(readFileSync(box.endpoints.kubeconfig, "utf8"));
    const key: string = config.users[0].user["client-key-data"];
    const shown = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    expect(shown).not.toContain(key);
    expect(shown).not.toContain(Buffer.from(key, "base64").toString().split("\n")[1]);
  }, 30_000);

  it("stops at once when the job is cancelled, and says that nothing was changed", async () => {
    await box.cluster.apply(deployment(box, "slow", { container: { command: ["sleep", "600"] } }));
    let toldAt = 0;
    const step = await runStep(main, {
      inputs: inputs({ resources: "deployment/slow" }),
      onLine: (line, child) => {
        if (toldAt > 0 || !line.includes("not ready")) return;
        toldAt = performance.now();
        child.kill("SIGINT");
      },
    });
    expect(performance.now() - toldAt).toBeLessThan(1_500);
    expect(step.exitCode).toBe(1);
    expect(step.outputs.verdict).toBe("cancelled");
    expect(step.stdout).toContain("Nothing was changed here");
    expect(step.summary).toContain("Cancelled while waiting");
  }, 30_000);

  it("names every wrong input at once, and looks no further", async () => {
    const step = await runStep(main, {
      inputs: { resources: "web", namespcae: "shop", timeout: "5", kubeconfig: "/none" },
    });
    expect(step.exitCode).toBe(1);
    const cause = step.outputs.cause ?? "";
    expect(cause).toContain("did you mean namespace?");
    expect(cause).toContain("resources: ");
    expect(cause).toContain("timeout: ");
  });

  it.each(["deployment/web;rm", "deployment/$(id)", "deployment/::error::x", "web"])(
    "refuses %s before it asks any cluster",
    async (resources) => {
      const step = await runStep(main, { inputs: { resources, kubeconfig: "/none" } });
      expect(step.exitCode).toBe(1);
      expect(step.outputs.cause).toContain("accepted is kind/name or namespace/kind/name");
      expect(step.commands.filter(({ name }) => name === "error")).toHaveLength(1);
    },
    30_000,
  );

  it("asks for something to wait for", async () => {
    const step = await runStep(main, { inputs: { kubeconfig: "/none" } });
    expect(step.outputs.cause).toBe(
      "None of `resources`, `selector`, `all`, `manifests`, `release` and `conditions` was given.",
    );
  }, 30_000);

  it("names a kubeconfig that is not there", async () => {
    const step = await runStep(main, { inputs: { resources: "deploy/web", kubeconfig: "/none" } });
    expect(step.outputs.cause).toContain('names "/none"');
  }, 30_000);
});
