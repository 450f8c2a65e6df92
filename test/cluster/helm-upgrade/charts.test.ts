import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Dock } from "./dock.ts";

jest.setTimeout(120_000);

const run = promisify(execFile);
let dock: Dock;
let digest: string;
let server: Server;
let asked: string[];

/** Runs Helm in the folder of the dock, without a cluster. */
const helm = (...args: readonly string[]) =>
  run(join(dock.box.endpoints.bin, "helm"), args, { cwd: dock.runner.folder });

beforeAll(async () => {
  dock = await Dock.open("helm-charts");
  await helm("package", join(dock.runner.workspace, "chart"));
  const oci = `oci://${dock.box.endpoints.registry}/${dock.box.namespace}`;
  const pushed = await helm("push", "buoy-0.1.0.tgz", oci, "--plain-http");
  digest = /sha256:[0-9a-f]{64}/.exec(pushed.stdout + pushed.stderr)?.[0] ?? "";
  const folder = join(dock.runner.folder, "repository");
  mkdirSync(folder);
  await helm("package", join(dock.runner.workspace, "chart"), "-d", folder);
  await helm("repo", "index", folder);
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? ""}`);
    const login = `Basic ${Buffer.from("mate:anchors-aweigh").toString("base64")}`;
    const file = join(folder, new URL(request.url ?? "", "http://x").pathname);
    const status = request.headers.authorization !== login ? 401 : existsSync(file) ? 200 : 404;
    response.writeHead(status).end(status === 200 ? readFileSync(file) : "no");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterAll(async () => {
  server?.close();
  await dock?.[Symbol.asyncDispose]();
});

const plan = (inputs: Readonly<Record<string, string>>, environment = {}) =>
  dock.release({ release: dock.name(), mode: "plan", ...inputs }, environment);

describe("a chart", () => {
  it("comes from a registry by its digest, which is held to it", async () => {
    const chart = `oci://${dock.box.endpoints.registry}/${dock.box.namespace}/buoy`;
    const step = await plan({ chart: `${chart}@${digest}` });
    expect(step.outputs.verdict).toBe("passed");
    expect(step.stdout).toContain(`is ${digest}.`);
    const other = await plan({ chart: `${chart}@sha256:${"0".repeat(64)}` });
    expect(other.outputs.cause).toMatch(/^There is no chart at .*not found/);
    expect((await plan({ chart, "chart-version": "0.1.0" })).outputs.verdict).toBe("passed");
  });

  it("comes from a repository, whose password stays out of argv and logs", async () => {
    const [program, heard] = ["helm", "heard"].map((name) => join(dock.runner.folder, name));
    const real = join(dock.box.endpoints.bin, "helm");
    writeFileSync(program ?? "", `#!/bin/sh\necho "$@" >> ${heard}\nexec ${real} "$@"\n`, {
      mode: 0o755,
    });
    const { port } = server.address() as AddressInfo;
    const inputs = {
      chart: "buoy",
      "chart-version": "0.1.0",
      repository: `http://127.0.0.1:${port}`,
      "chart-username": "mate",
      "chart-password": "anchors-aweigh",
      helm: program ?? "",
    };
    const step = await plan(inputs);
    expect(step).toMatchObject({ exitCode: 0, leftovers: [] });
    expect(asked.some((line) => line.startsWith("/buoy-0.1.0.tgz Basic "))).toBe(true);
    const shown = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    expect(`${shown}${step.summary}${readFileSync(heard ?? "", "utf8")}`).not.toContain(
      "anchors-aweigh",
    );
    const refused = await plan({ ...inputs, "chart-password": "wrong-password" });
    expect(refused.outputs.cause).toMatch(/^http:\/\/127.0.0.1:\d+ gives .*401 Unauthorized/);
  });

  it("comes as an archive, and has no other form", async () => {
    const step = await plan({ chart: join(dock.runner.folder, "buoy-0.1.0.tgz") });
    expect(step.outputs.verdict).toBe("passed");
    const wrong = await plan({ chart: "buoy", "chart-password": "x-x-x-x" });
    expect(wrong.outputs.cause).toMatch(/comes from no registry, and no `repository` is given/);
  });

  it("has the dependencies that its lock names, or says what is missing", async () => {
    const write = (name: string, text: string) => dock.runner.write(name, text);
    await write("db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 0.2.0\n");
    await write(
      "db/templates/db.yaml",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-db'}\n",
    );
    const needs = (version: string) =>
      write(
        "app/Chart.yaml",
        `apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- {name: db, version: ${version}, repository: "file://../db"}\n`,
      );
    await needs("0.2.0");
    const inputs = { chart: "app", images: "" };
    expect((await plan(inputs)).outputs.cause).toBe("charts/ does not have db.");
    await helm("dependency", "update", join(dock.runner.workspace, "app"));
    const there = await plan(inputs);
    expect(JSON.parse(there.outputs.changes ?? "")).toMatchObject({ added: 1 });
    rmSync(join(dock.runner.workspace, "app/charts"), { recursive: true });
    expect((await plan(inputs)).outputs.cause).toBe("charts/ does not have db 0.2.0.");
    const built = await plan({ ...inputs, dependencies: "build" });
    expect(built.outputs.verdict).toBe("passed");
    await needs("0.3.0");
    expect((await plan(inputs)).outputs.cause).toMatch(/Chart.lock in app was made for other/);
  });

  it("has definitions: missing ones come with it, changed ones are told of or applied", async () => {
    const group = `${dock.box.namespace}.example`;
    const definition = (column: string) => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
    - name: v1
      served: true
      storage: true
      additionalPrinterColumns: [{name: ${column}, type: string, jsonPath: .metadata.name}]
      schema: {openAPIV3Schema: {type: object}}
`;
    const of = dock.name();
    const inputs = { release: of, chart: "defining", images: "", mode: "deploy" };
    await dock.runner.write(
      "defining/Chart.yaml",
      "apiVersion: v2\nname: defining\nversion: 0.1.0\n",
    );
    await dock.runner.write("defining/crds/widget.yaml", definition("One"));
    await dock.runner.write(
      "defining/templates/one.yaml",
      `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: one}\n`,
    );
    const ref = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      name: `widgets.${group}`,
    };
    try {
      const first = await dock.release(inputs);
      expect(first.stdout).toContain("widget/one was not checked: its kind comes with the chart.");
      expect(first.outputs.verdict).toBe("passed");
      await dock.runner.write("defining/crds/widget.yaml", definition("Two"));
      const second = await dock.release(inputs);
      expect(second.stdout).toContain(
        `crd/widgets.${group} differs from the one in the chart's folder`,
      );
      const third = await dock.release({ ...inputs, crds: "apply" });
      expect(third.outputs.verdict).toBe("passed");
      expect(JSON.stringify(await dock.box.cluster.get(ref))).toContain('"name":"Two"');
    } finally {
      await dock.box.cluster.delete(ref);
    }
  });
});

describe("texts at paths", () => {
  const LINES: readonly (readonly [string, string])[] = [
    ["free.a", "one"],
    ["free.b", "true"],
    ["free.c", "12345678901234567890"],
    ["free.d\\.e/f", "dotted"],
    ["free.list[1].name", "second"],
    ["free.new[1]", "y"],
    ["free.empty", ""],
    ["free.comma", "a,b=c"],
    ["free.brace", "{a,b}"],
    ["free.null", "null"],
    ["free.back", "C:\\temp"],
  ];
  /** What --set-string would take for its own signs. */
  const escaped = (text: string) => text.replace(/[\\,{}]/g, "\\$&");

  it("are what Helm makes of --set-string", async () => {
    const [ours, plain] = [dock.name(), dock.name()];
    const values = "free: {list: [{name: a, port: 1}, {name: b, port: 2}]}";
    const text = LINES.map(([path, one]) => `${path}=${one}`).join("\n");
    const step = await dock.release({
      release: ours,
      values,
      "set-string": text,
      images: "",
      mode: "deploy",
      timeout: "5s",
      "on-failure": "keep",
    });
    expect(step.outputs.revision).toBe("1");
    await dock.runner.write("values.yaml", values);
    const { kubeconfig } = dock.box.endpoints;
    const flags = ["--kubeconfig", kubeconfig, "--namespace", dock.box.namespace];
    const sets = LINES.flatMap(([path, one]) => ["--set-string", `${path}=${escaped(one)}`]);
    const { workspace } = dock.runner;
    await helm(
      "upgrade",
      "--install",
      ...flags,
      "-f",
      join(workspace, "values.yaml"),
      ...sets,
      plain,
      join(workspace, "chart"),
    );
    const read = async (release: string) =>
      JSON.parse(await dock.helm("get", "values", release, "-o", "json"));
    expect(await read(ours)).toEqual(await read(plain));
  });

  it("come from files too, and name no place when they are wrong", async () => {
    await dock.runner.write("motd.txt", "two\nlines: here\n");
    const step = await plan({ "set-file": "text=motd.txt" });
    expect(step.summary).toContain("lines: here");
    const wrong = await plan({ "set-string": "a..b=1" });
    expect(wrong.outputs.cause).toMatch(/"a\.\.b" has an empty key/);
  });
});
