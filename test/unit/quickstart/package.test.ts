import { readFile } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";

const EXAMPLE = new URL("../../../examples/quickstart/", import.meta.url);

describe("the example's package", () => {
  it("pins its dependencies exactly, at the versions that the tests here run with", async () => {
    const { dependencies } = await readJson(new URL("package.json", EXAMPLE));
    const root = await readJson(new URL("../../package.json", EXAMPLE));
    expect(Object.keys(dependencies)).toEqual(["prom-client"]);
    expect(dependencies["prom-client"]).toMatch(/^\d+\.\d+\.\d+$/);
    expect(dependencies["prom-client"]).toBe(root.devDependencies["prom-client"]);
  });

  it("has a lockfile that names hashes and no registry", async () => {
    const text = await readFile(new URL("package-lock.json", EXAMPLE), "utf8");
    expect(text).not.toMatch(/https?:/);
    const { packages } = JSON.parse(text);
    const installed = Object.entries(packages).filter(([path]) => path !== "");
    expect(installed.length).toBeGreaterThan(0);
    for (const [path, locked] of installed) {
      expect([path, locked]).toEqual([
        path,
        expect.objectContaining({ integrity: expect.stringMatching(/^sha512-/) }),
      ]);
    }
  });

  it("has the version that the chart deploys", async () => {
    const { version } = await readJson(new URL("package.json", EXAMPLE));
    const chart = await readFile(new URL("chart/Chart.yaml", EXAMPLE), "utf8");
    expect(chart).toContain(`appVersion: "${version}"\n`);
  });
});

async function readJson(url: URL) {
  return JSON.parse(await readFile(url, "utf8"));
}
