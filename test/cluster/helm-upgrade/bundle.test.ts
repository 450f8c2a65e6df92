import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Dock } from "./dock.ts";

let dock: Dock;
beforeAll(async () => {
  dock = await Dock.open("helm-upgrade-bundle");
});
afterAll(async () => dock?.[Symbol.asyncDispose]());

/** A Helm that writes down what it was told, then does it. */
function listeningHelm(): { readonly program: string; readonly told: () => string } {
  const { folder } = dock.runner;
  const [program, heard] = [join(folder, "helm"), join(folder, "heard")];
  const helm = join(dock.box.endpoints.bin, "helm");
  const script = `#!/bin/sh\necho "$@" >> ${heard}\nexec ${helm} "$@"\n`;
  writeFileSync(program, script, { mode: 0o755 });
  return { program, told: () => readFileSync(heard, "utf8") };
}

describe("helm-upgrade as the runner runs it", () => {
  it("installs, and puts no value and no credential on a command line or into the log", async () => {
    const { program, told } = listeningHelm();
    // The content in place of the path, as it comes from a secret.
    const kubeconfig = readFileSync(dock.box.endpoints.kubeconfig, "utf8");
    const values = "dbPassword: anchors-aweigh";
    const step = await dock.ship({ release: "buoy", helm: program, values, kubeconfig });
    expect(step).toMatchObject({ exitCode: 0, stderr: "", leftovers: [] });
    expect(step.outputs).toMatchObject({ verdict: "passed", revision: "1" });
    expect(step.summary).toMatch(/^## ✅ buoy is at revision 1: .* ready\n\n```mermaid\ngantt/);
    const key: string = JSON.parse(kubeconfig).users[0].user["client-key-data"];
    const shown = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    for (const secret of ["anchors-aweigh", key]) {
      expect(told()).not.toContain(secret);
      expect(`${shown}${step.summary}`).not.toContain(secret);
    }
    expect(await dock.helm("get", "values", "buoy")).toContain("anchors-aweigh");
  }, 60_000);

  it("fails with outputs, an annotation at the template's line, and a summary", async () => {
    const step = await dock.ship({ release: "broken", values: "broken: true" });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toMatch(/^buoy\/templates\/web\.yaml:2, at /);
    expect(step.commands.filter(({ name }) => name === "error")).toHaveLength(1);
    expect(step.summary).toMatch(/^## ❌ broken: The chart does not render\n/);
  }, 60_000);
});
