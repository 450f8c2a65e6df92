import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { root } from "../../../scripts/action-manifest.ts";
import { runStep } from "../../runner/index.ts";
import { type Sandbox, sandbox } from "../kubernetes/sandbox.ts";
import { digestOf, helm } from "./step.ts";

const main = join(root, "dist/helm-upgrade/index.js");
const folder = mkdtempSync(join(tmpdir(), "helm-upgrade-bundle-"));

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox("helm-upgrade-bundle");
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await box?.[Symbol.asyncDispose]();
});

/** A Helm that writes down what it was told, then does it. */
function listeningHelm(): { readonly program: string; readonly told: () => string } {
  const [program, heard] = [join(folder, "helm"), join(folder, "heard")];
  const script = `#!/bin/sh\necho "$@" >> ${heard}\nexec ${join(box.endpoints.bin, "helm")} "$@"\n`;
  writeFileSync(program, script, { mode: 0o755 });
  return { program, told: () => readFileSync(heard, "utf8") };
}

async function inputs(more: Readonly<Record<string, string>>) {
  const image = box.endpoints.busyboxImage;
  const repository = image.slice(0, image.lastIndexOf(":"));
  return {
    release: "buoy",
    chart: join(root, "test/cluster/helm-upgrade/chart"),
    namespace: box.namespace,
    images: JSON.stringify({ web: { repository, digest: await digestOf(image) } }),
    // The content in place of the path, as it comes from a secret.
    kubeconfig: readFileSync(box.endpoints.kubeconfig, "utf8"),
    timeout: "60s",
    ...more,
  };
}

describe("helm-upgrade as the runner runs it", () => {
  it("installs, and puts no value and no credential on a command line or into the log", async () => {
    const { program, told } = listeningHelm();
    const given = await inputs({ helm: program, values: "dbPassword: anchors-aweigh" });
    const step = await runStep(main, { inputs: given, environment: { RUNNER_TEMP: folder } });
    expect(step).toMatchObject({ exitCode: 0, stderr: "" });
    expect(step.outputs.verdict).toBe("passed");
    expect(step.outputs.revision).toBe("1");
    expect(step.summary).toMatch(/^## ✅ buoy is at revision 1: 1 of 1 ready\n\n```mermaid\ngantt/);
    const key: string = JSON.parse(given.kubeconfig).users[0].user["client-key-data"];
    const shown = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    for (const secret of ["anchors-aweigh", key]) {
      expect(told()).not.toContain(secret);
      expect(`${shown}${step.summary}`).not.toContain(secret);
    }
    expect(await helm(box, "get", "values", "buoy")).toContain("anchors-aweigh");
  }, 60_000);

  it("fails with outputs, an annotation at the template's line, and a summary", async () => {
    const given = await inputs({ release: "broken", values: "broken: true" });
    const environment = { PATH: `${box.endpoints.bin}:${process.env.PATH}` };
    const step = await runStep(main, { inputs: given, environment });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toMatch(/^buoy\/templates\/web\.yaml:2, at /);
    expect(step.commands.filter(({ name }) => name === "error")).toHaveLength(1);
    expect(step.summary).toMatch(/^## ❌ broken: The chart does not render\n/);
  }, 60_000);
});
