import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { snapshot } from "../../runner/index.ts";
import { type Entry, tarGz, zip } from "./archives.ts";
import { Bench, processor, program, tableOf, toolOf } from "./bench.ts";
import {
  type Behaviour,
  flipped,
  loginPage,
  redirectTo,
  resetAfter,
  send,
  status,
  truncated,
} from "./mirror.ts";

const kubectl = program("Client Version: v1.98.7");
const path = `release/v1.98.7/bin/linux/${processor}/kubectl`;
const inputs = { tools: "kubectl 1.98.7", table: tableOf("kubectl", "1.98.7", kubectl) };

// Each starts a program, some of them several; the machine may be busy with others.
jest.setTimeout(60_000);

/** What is in a tool cache, without the folders of tools. */
function filesIn(cache: string): string[] {
  const entries = readdirSync(cache, { recursive: true, encoding: "utf8" });
  return entries.filter((path) => path.includes("/"));
}

describe("a fault that passes", () => {
  it.each<[string, readonly Behaviour[], RegExp]>([
    ["503", [status(503)], /status 503; trying again in 1 s/],
    [
      "429 with a time to wait",
      [status(429, { "retry-after": "0" })],
      /status 429; trying again in 0 s/,
    ],
    [
      "a reset at the last byte",
      [resetAfter(-1)],
      /broke the connection off.*going on after \d+ kB/,
    ],
    ["a reset at the first byte", [resetAfter(0)], /trying again in 1 s/],
    ["a flipped bit", [flipped], /the checksum is wrong .* fetching it once more/],
    ["a shorter file", [truncated], /the checksum is wrong .* fetching it once more/],
  ])("%s is borne", async (_, behaviours, told) => {
    await using bench = await Bench.open({ [path]: kubectl });
    bench.mirror.next(...behaviours);
    const step = await bench.run({ inputs });
    expect(step.outputs.verdict).toBe("passed");
    expect(step.stdout).toMatch(told);
  });

  it("is gone on from, not begun anew", async () => {
    await using bench = await Bench.open({ [path]: kubectl });
    bench.mirror.next(resetAfter(200_000), send);
    expect((await bench.run({ inputs })).outputs.verdict).toBe("passed");
    expect(bench.mirror.seen[1]?.headers).toMatchObject({
      range: "bytes=200000-",
      "if-range": '"one"',
    });
  });

  it("is begun anew where the server cannot go on", async () => {
    await using bench = await Bench.open({ [path]: kubectl });
    bench.mirror.next(resetAfter(200_000), (_, response, file) => response.end(file));
    expect((await bench.run({ inputs })).outputs.verdict).toBe("passed");
  });
});

describe("a fault that stays", () => {
  it.each<[string, Behaviour, RegExp, RegExp]>([
    ["404", status(404), /answered with status 404/, /Put the file on the mirror at this address/],
    ["403", status(403), /answered with status 403/, /credentials by the input mirror-header/],
    [
      "a flipped bit",
      flipped,
      /have the SHA-256 checksum [0-9a-f]{64}; your own table has/,
      /publisher's own file/,
    ],
    ["a login page", loginPage, /a web page with the title "Sign in to Acme"/, /Open the way/],
    ["a loop of redirects", redirectTo("/again"), /more than 10 redirects/, /Run the job again/],
    [
      "a redirect to nowhere",
      redirectTo("ftp://a/b"),
      /"ftp:\/\/a\/b", which is no HTTP URL/,
      /mirror/,
    ],
  ])("%s fails the step, and leaves nothing", async (_, behaviour, cause, remedy) => {
    await using bench = await Bench.open({ [path]: kubectl });
    bench.mirror.always(behaviour);
    const step = await bench.run({ inputs });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toMatch(cause);
    expect(step.stdout).toMatch(remedy);
    expect(step.path).toEqual([]);
    expect(step.outputs.tools).toBe("{}");
    expect(filesIn(bench.cache)).toEqual([]);
    expect(step.summary).toMatch(/^## ❌/);
    expect(step.milliseconds).toBeLessThan(30_000);
  });

  it("503 is tried five times in all", async () => {
    await using bench = await Bench.open({ [path]: kubectl });
    bench.mirror.always(status(503, { "retry-after": "0" }));
    const step = await bench.run({ inputs });
    expect(step.outputs.cause).toMatch(/answered with status 503 .*, 5 times in /);
    expect(bench.mirror.seen).toHaveLength(5);
  });

  it("a server that sends too slowly is given up at the timeout", async () => {
    await using bench = await Bench.open({ [path]: kubectl });
    bench.mirror.always((_, response, file = Buffer.alloc(0)) => {
      response.writeHead(200, { "content-length": file.length });
      let sent = 0;
      const timer = setInterval(() => {
        response.write(file.subarray(sent, sent + 1_000));
        sent += 1_000;
      }, 50);
      response.on("close", () => clearInterval(timer));
    });
    const step = await bench.run({ inputs: { ...inputs, timeout: "2s" } });
    expect(step.outputs.cause).toMatch(/It was not there after 2 s \(.* so far\)/);
    expect(step.milliseconds).toBeLessThan(30_000);
    expect(filesIn(bench.cache)).toEqual([]);
  });

  it("a network that is closed is told of, with the ways around it", async () => {
    await using bench = await Bench.open({});
    const step = await bench.run({ inputs: { ...inputs, mirror: "http://127.0.0.1:9" } });
    expect(step.outputs.cause).toMatch(
      /^127\.0\.0\.1:9 refuses connections \(ECONNREFUSED\)\. It was tried 3 times in .* No proxy is set \(HTTP_PROXY\)\.$/,
    );
    expect(step.stdout).toContain("docs/tools.md");
  });

  it("a proxy that is not there is named", async () => {
    await using bench = await Bench.open({ [path]: kubectl });
    const step = await bench.run({
      inputs: { ...inputs, mirror: "http://mirror.example.com" },
      environment: { HTTP_PROXY: "http://user:hunter2-hunter2@127.0.0.1:9" },
    });
    expect(step.outputs.cause).toContain("The proxy is 127.0.0.1:9 (HTTP_PROXY)");
    expect(step.stdout.replaceAll(/::add-mask::.*/g, "")).not.toContain("hunter2");
  });

  it("of one tool leaves the others ready, and names both failures", async () => {
    await using bench = await Bench.open({ [path]: kubectl });
    const step = await bench.run({
      inputs: { ...inputs, tools: "kubectl 1.98.7\nhelm 9\ncrane 8" },
    });
    expect(step.exitCode).toBe(1);
    expect(toolOf(step, "kubectl").source).toBe("download");
    expect(step.path).toHaveLength(1);
    expect(step.stdout).toContain("::error title=2 of 3 tools could not be set up::");
    expect(step.outputs.cause).toMatch(
      /helm 9 is not in the table: .*\ncrane 8 is not in the table/,
    );
  });
});

describe("a file that is what the table says, and still no good", () => {
  const noise = randomBytes(100_000);
  const evil = (entries: readonly Entry[]) =>
    tarGz([{ path: "linux-amd64/helm", content: "x" }, ...entries]);

  it.each<[string, Buffer, RegExp]>([
    [
      "a path that leads out",
      evil([{ path: "../../evil", content: "x" }]),
      /"..\/..\/evil", which leads out/,
    ],
    [
      "an absolute path",
      evil([{ path: "/etc/evil", content: "x" }]),
      /"\/etc\/evil", which leads out/,
    ],
    [
      "no such program",
      tarGz([{ path: "helm", content: "x" }]),
      /It has no linux-\w+\/helm\. It has helm\./,
    ],
    ["another kind of file", Buffer.from("plain text"), /is broken or of another kind/],
    [
      "half an archive",
      tarGz([{ path: "linux-amd64/helm", content: noise }]).subarray(0, 50_000),
      /is broken or of another kind|cut short/,
    ],
  ])("%s", async (_, file, cause) => {
    await using bench = await Bench.open({ [`helm-v4.98.7-linux-${processor}.tar.gz`]: file });
    const table = tableOf("helm", "4.98.7", file);
    const step = await bench.run({ inputs: { tools: "helm 4.98.7", table } });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toMatch(cause);
    expect(filesIn(bench.cache)).toEqual([]);
    expect(existsSync(join(bench.cache, "../evil"))).toBe(false);
  });

  it.each<[string, readonly Entry[], RegExp]>([
    ["a link that leads out", [{ path: "pg/lib", link: "/etc" }], /leads to "\/etc", outside/],
    ["a link to a parent", [{ path: "pg/a/lib", link: "../../.." }], /outside of what is unpacked/],
  ])("%s", async (_, entries, cause) => {
    const file = tarGz([{ path: "pg/bin/own", content: "x" }, ...entries]);
    await using bench = await Bench.open({ own: file });
    const step = await bench.run({
      inputs: { tools: "own", mirror: "", table: ownTable(bench, file) },
    });
    expect(step.outputs.cause).toMatch(cause);
    expect(filesIn(bench.cache)).toEqual([]);
  });

  it("a zip archive with a path that leads out", async () => {
    const file = zip([
      { path: "pg/bin/own", content: "x" },
      { path: "pg/../../../evil", content: "x" },
    ]);
    await using bench = await Bench.open({ own: file });
    const table = ownTable(bench, file, "zip");
    const step = await bench.run({ inputs: { tools: "own", mirror: "", table } });
    expect(step.outputs.cause).toMatch(/"pg\/..\/..\/..\/evil", which leads out/);
  });

  it("a program of another version than the table says", async () => {
    const other = program("Client Version: v1.97.0");
    await using bench = await Bench.open({ [path]: other });
    const table = tableOf("kubectl", "1.98.7", other);
    const step = await bench.run({ inputs: { ...inputs, table } });
    expect(step.outputs.cause).toMatch(/says 1\.97\.0, and the table has this file as 1\.98\.7/);
  });

  it("a program for another kind of machine", async () => {
    const other = Buffer.concat([
      Buffer.from("\x7fELF\x02\x01\x01", "latin1"),
      Buffer.alloc(200_000),
    ]);
    await using bench = await Bench.open({ [path]: other });
    const table = tableOf("kubectl", "1.98.7", other);
    const step = await bench.run({ inputs: { ...inputs, table } });
    expect(step.outputs.cause).toMatch(/Its checksum is right, but .*kubectl version --client/);
    expect(step.exitCode).toBe(1);
  });
});

function ownTable(bench: Bench, file: Buffer, archive = "tar.gz"): string {
  const table = JSON.parse(tableOf("own", "1.0.0", file));
  const layout = {
    url: `${bench.mirror.url}/own`,
    archive,
    folder: "pg/",
    programs: { own: "pg/bin/own" },
  };
  table.own.proof = ["--version"];
  table.own.platforms = { [`linux-${processor}`]: layout };
  return JSON.stringify(table);
}

describe("inputs that are wrong", () => {
  it.each([
    [{ tools: "kubctl 1.36" }, /No table has "kubctl".* Did you mean kubectl\?/],
    [{ tools: "kubectl one" }, /"one" is no version or range/],
    [{ tools: "kubectl 1.36, kubectl 1.35" }, /kubectl is named twice/],
    [{ tools: "pg_dump, psql" }, /asks for postgresql-client under two of its names/],
    [
      { tools: "kubectl 1.99" },
      /the table has kubectl 1\.33\.8, .*; the nearest is 1\.37\.1\. No other version/,
    ],
    [
      { tools: "kubectl", mirror: "mirror.example.com" },
      /a mirror is a URL that starts with https/,
    ],
    [{ tools: "kubectl", mirror: "https://m.example/{hots}" }, /there is no \{hots\}/],
    [
      { tools: "kubectl", mirror: "helm=https://m.example" },
      /mirror: it names helm, and the tools are kubectl/,
    ],
    [
      { tools: "kubectl", mirror: "", "mirror-header": "A: b" },
      /there is no mirror that it could be sent to/,
    ],
    [
      { tools: "kubectl", table: "{helm: {versions: {1.2.3: {linux-amd64: abc}}}}" },
      /a SHA-256 checksum has 64/,
    ],
    [
      { tools: "kubectl", table: "{helm: {version: {}}}" },
      /helm: there is no version here; did you mean versions/,
    ],
    [
      { tools: "kubectl", table: "no/such/file.yml" },
      /names the file "no\/such\/file.yml".*ENOENT/,
    ],
    [
      { tools: "own", table: `{own: {versions: {1.2.3: {linux-amd64: ${"a".repeat(64)}}}}}` },
      /yours leaves out `proof`/,
    ],
    [{ tools: "constructor" }, /No table has "constructor"/],
  ])("%j", async (given, cause) => {
    await using bench = await Bench.open({});
    const step = await bench.run({ inputs: given });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toMatch(cause);
    expect(step.stdout).not.toContain("A bug in");
    expect(bench.mirror.seen).toEqual([]);
  });

  it("secret headers are not shown", async () => {
    await using bench = await Bench.open({});
    const step = await bench.run({
      inputs: { ...inputs, "mirror-header": "Bearer my-secret-token" },
    });
    expect(step.stdout.replaceAll(/::add-mask::.*/g, "")).not.toContain("my-secret-token");
    expect(step.outputs.cause).toMatch(/line 1 has another form than `Name: value`/);
  });
});

it("says what the README says it does", async () => {
  await using bench = await Bench.open({ [path]: kubectl });
  bench.mirror.always(flipped);
  const step = await bench.run({ inputs });
  const [, message = ""] = /::error title=[^:]*::(.*)/.exec(step.stdout) ?? [];
  const text = message.replaceAll("%0A", "\n").replaceAll("%25", "%");
  const { said, kept } = snapshot("setup-tools", text, {
    [bench.mirror.url]: "https://mirror.example.com",
    [processor]: "amd64",
  });
  expect(said).toBe(kept);
});

it("leaves nothing when it is killed, after the next run", async () => {
  await using bench = await Bench.open({ [path]: kubectl });
  const asked = Promise.withResolvers<void>();
  bench.mirror.always((_, response, file = Buffer.alloc(0)) => {
    response.writeHead(200, { "content-length": file.length });
    response.write(file.subarray(0, 1_000), () => asked.resolve());
  });
  const running = await bench.start({ inputs });
  await asked.promise;
  running.child.kill("SIGKILL");
  await running.finished;
  bench.mirror.always(undefined);
  const step = await bench.run({ inputs });
  expect(step.outputs.verdict).toBe("passed");
  expect(readFileSync(toolOf(step, "kubectl").path ?? "").equals(kubectl)).toBe(true);
});
