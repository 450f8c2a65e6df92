import { generateKeyPairSync, verify } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { validateXML } from "xmllint-wasm";
import { bundleOf, failureOf, Runner, runStep, type Step, snapshot } from "../../runner/index.ts";

jest.setTimeout(60_000);

/** A backup that needs no server, from its writing to its report. */

const schemaFile = join(import.meta.dirname, "../../unit/smoke-test/junit.xsd");
const passphrase = "Sesam-öffne-dich-17";
const gatewayPassword = "metrics-Passwort-5";
const pair = () =>
  generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
const keys = pair();

let runner: Runner;
let made: Step;
beforeAll(async () => {
  runner = await Runner.create({ "data/a.txt": "hello", "data/b/c.txt": "world" });
  made = await backUp({ "signing-key": keys.privateKey });
});
afterAll(() => runner[Symbol.asyncDispose]());

const kept = { storage: "kept", passphrase };

function backUp(more: Readonly<Record<string, string>> = {}, name = "files") {
  const inputs = { name, source: "data", ...kept, encryption: "openssl", ...more };
  return runStep(bundleOf("backup-database"), { inputs, runner });
}

function prove(more: Readonly<Record<string, string>> = {}) {
  const inputs = { name: "files", ...kept, tier: "full", ...more };
  return runStep(bundleOf("verify-backup"), { inputs, runner });
}

const at = (...path: string[]) => join(runner.workspace, ...path);
const read = (...path: string[]) => readFileSync(at(...path), "utf8");

describe("a backup", () => {
  it("is told by its outputs", () => {
    expect(made.outputs).toMatchObject({ verdict: "passed", cause: "", kind: "directory" });
    expect(made.outputs.location).toBe(`${at("kept/files", made.outputs.backup ?? "")}/`);
    expect(JSON.parse(made.outputs.measures ?? "")).toMatchObject({ files: 2 });
    expect(made.summary).toMatch(/^## ✅ files is backed up\n/);
  });

  it("is proven, and the report is written in all its forms", async () => {
    const step = await prove({
      "verification-key": keys.publicKey,
      "report-key": keys.privateKey,
      "metrics-file": "textfiles/files.prom",
      rpo: "1h",
      rto: "1h",
    });
    expect(step).toMatchObject({ exitCode: 0, stderr: "", leftovers: [] });
    expect(step.outputs).toMatchObject({ verdict: "passed", tier: "full", findings: "[]" });
    expect(step.summary).toMatch(/^## ✅ Backup files is proven/);
    expect(step.lines).toContain("Backup files is proven (full)");
    const report = read("backup-verification/report.json");
    expect(step.outputs.report).toBe(at("backup-verification/report.json"));
    expect(JSON.parse(report)).toMatchObject({ verdict: "passed", backup: made.outputs.backup });
    const signature = readFileSync(at("backup-verification/report.json.sig"));
    expect(verify(null, Buffer.from(report), keys.publicKey, signature)).toBe(true);
    const xml = read("backup-verification/junit.xml");
    const schema = readFileSync(schemaFile, "utf8");
    const { errors } = await validateXML({ xml: [{ fileName: "j.xml", contents: xml }], schema });
    expect(errors).toEqual([]);
    expect(read("backup-verification/report.html")).toContain("Backup files is proven");
    expect(read("textfiles/files.prom")).toBe(read("backup-verification/metrics.prom"));
    expect(read("textfiles/files.prom")).toMatch(/seaworthy_backup_verified\{.*\} 1\n/);
    const beside = readdirSync(at("kept/files", made.outputs.backup ?? "", "verifications"));
    expect(beside.map((name) => name.replace(/.*\.json/, ".json")).sort()).toEqual([
      ".json",
      ".json.sig",
    ]);
  });

  it("that is too old for rpo fails, and says what would be lost", async () => {
    const step = await prove({ rpo: "1s", record: "false" });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toContain("the recovery point objective allows 1 s");
  });

  it("cannot be read with another passphrase, which is nobody's damage", async () => {
    const step = await prove({ passphrase: "another", record: "false" });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toMatch(/passphrase/);
    expect(step.stdout).not.toContain("is damaged");
  });

  it("that somebody else signed fails", async () => {
    const step = await prove({ "verification-key": pair().publicKey, record: "false" });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toMatch(/signature/);
  });
});

describe("a damaged backup", () => {
  const inputs = { name: "damaged", record: "false" };

  it("is told by the file, and what to do", async () => {
    const { backup = "" } = (await backUp({}, "damaged")).outputs;
    const folder = at("kept/damaged", backup);
    const part = readdirSync(folder).find((name) => name.startsWith("files.tar")) ?? "";
    const bytes = readFileSync(join(folder, part));
    bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
    writeFileSync(join(folder, part), bytes);
    const step = await prove(inputs);
    expect(step.outputs).toMatchObject({ verdict: "failed", tier: "integrity" });
    expect(step.summary).toMatch(/^## ❌ Backup damaged is damaged/);
    expect(step.outputs.cause).toContain(part);
    const { said, kept: text } = snapshot("verify-backup-damaged", failureOf(step), {
      [backup]: "20260101T020000Z-3f9a1c",
    });
    expect(said).toBe(text);

    rmSync(join(folder, part));
    expect((await prove(inputs)).outputs.cause).toContain(part);
    writeFileSync(join(folder, "manifest.json"), "{");
    const broken = await prove(inputs);
    expect(broken.outputs.verdict).toBe("failed");
    expect(broken.outputs.cause).toContain("manifest.json");
    expect(read("backup-verification/report.json")).toContain('"verdict": "failed"');
  });

  it("of a later form of manifest is not guessed at", async () => {
    const { backup = "" } = (await backUp({}, "later")).outputs;
    const file = at("kept/later", backup, "manifest.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"schema": 1', '"schema": 2'));
    const step = await prove({ name: "later" });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toMatch(/schema|version|form/);
  });
});

const PLAIN = `--
-- PostgreSQL database dump
--

-- Dumped from database version 17.4
-- Dumped by pg_dump version 17.4

CREATE TABLE public.t (i integer);

COPY public.t (i) FROM stdin;
1
2
\\.

--
-- PostgreSQL database dump complete
--
`;

describe("a backup of another tool", () => {
  it("is looked at without a server at the tier integrity, and not called proven", async () => {
    await runner.write("other/papers-1.sql", PLAIN);
    const inputs = { name: "", pattern: "papers-*.sql", storage: "other", tier: "integrity" };
    const step = await prove(inputs);
    expect(step.outputs).toMatchObject({ verdict: "passed", backup: "papers-1.sql" });
    expect(step.summary).not.toContain("is proven");
    expect(JSON.parse(step.outputs.unknown ?? "[]")).not.toEqual([]);
  });

  it("that ends too early is told by its line", async () => {
    await runner.write("other/cut-1.sql", PLAIN.slice(0, 200));
    const inputs = { name: "", pattern: "cut-*.sql", storage: "other", tier: "integrity" };
    const step = await prove(inputs);
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toMatch(/cut-1\.sql: .*cut short/);
  });

  it.each([
    ["nothing", ""],
    ["what no tool writes", "hello"],
  ])("that holds %s is damaged", async (_, text) => {
    await runner.write("other/odd-1.sql", text);
    const inputs = { name: "", pattern: "odd-*.sql", storage: "other", tier: "full" };
    const step = await prove(inputs);
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toContain("odd-1.sql");
    expect(step.stdout).not.toMatch(/^\s+at .*:\d+/m);
  });
});

describe("a Pushgateway", () => {
  async function gateway(status: number, more: Readonly<Record<string, string>> = {}) {
    const asked: { method?: string; url?: string; headers: IncomingHttpHeaders; body: string }[] =
      [];
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const part of request) body += part;
      const { method = "", url = "", headers } = request;
      asked.push({ method, url, headers, body });
      response.writeHead(status).end(status === 200 ? "" : "pushed metrics are invalid");
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    const pushgateway = `http://boss:${gatewayPassword}@127.0.0.1:${port}/gate`;
    const step = await prove({ pushgateway, record: "false", ...more });
    await new Promise((closed) => server.close(closed));
    return { asked, step };
  }

  it("is told the metrics in a group of the series, by its user", async () => {
    const { asked, step } = await gateway(200);
    expect(step.outputs.verdict).toBe("passed");
    const [put] = asked;
    expect(asked).toHaveLength(1);
    expect(put).toMatchObject({
      method: "PUT",
      url: "/gate/metrics/job/verify-backup/backup/files",
      body: read("backup-verification/metrics.prom"),
    });
    const credentials = Buffer.from(`boss:${gatewayPassword}`).toString("base64");
    expect(put?.headers.authorization).toBe(`Basic ${credentials}`);
    expectNoSecret(step);
  });

  it("that does not take them fails the step, which still tells what was proven", async () => {
    const { step } = await gateway(400);
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toContain("answered 400: pushed metrics are invalid");
    expect(step.outputs.cause).toContain("The verification itself passed");
    expect(step.outputs).toMatchObject({ tier: "full", backup: made.outputs.backup });
  });

  it("that is down does not hide what is wrong with the backup", async () => {
    const pushgateway = `http://boss:${gatewayPassword}@127.0.0.1:1/`;
    const step = await prove({ pushgateway, rpo: "1s", record: "false" });
    expect(failureOf(step)).toMatch(/^Error: Backup files cannot be relied on\n/);
    expect(step.outputs.cause).toContain("ECONNREFUSED");
    expectNoSecret(step);
  });
});

it("tells no secret, in the log, the outputs, the summary, the report or the backup", async () => {
  const step = await prove({ "report-key": keys.privateKey });
  for (const each of [made, step]) expectNoSecret(each);
  const folders = [at("backup-verification"), at("kept")];
  for (const folder of folders) {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((one) => one.isFile())) {
      const text = readFileSync(join(entry.parentPath, entry.name), "latin1");
      for (const secret of secrets()) expect(text).not.toContain(secret);
    }
  }
});

function secrets(): string[] {
  const [, body = ""] = keys.privateKey.split("\n");
  return [passphrase, gatewayPassword, body, Buffer.from(passphrase, "utf8").toString("latin1")];
}

function expectNoSecret(step: Step): void {
  const log = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
  const text = `${log}\n${step.stderr}\n${step.summary}\n${JSON.stringify(step.outputs)}`;
  for (const secret of secrets()) expect(text).not.toContain(secret);
}
