import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { UserError } from "../../../shared/failure/index.ts";
import { type ConfigObject, parseConfig, readJobConfig } from "../../../shared/job-config/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { CERTIFICATE, KEY, OTHER_KEY } from "./certificates.ts";

let workspace: string;
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), "job-config-"));
  await mkdir(join(workspace, "dashboards", "deep"), { recursive: true });
  await Promise.all([
    writeFile(join(workspace, "app.json"), '{"a":1}\n'),
    writeFile(join(workspace, "logo.bin"), Buffer.from([0, 255, 254, 10])),
    writeFile(join(workspace, "empty"), ""),
    writeFile(join(workspace, "big"), Buffer.alloc(1_048_577, "a")),
    writeFile(join(workspace, "half"), Buffer.alloc(600_000, "a")),
    writeFile(join(workspace, "prod.env"), '\uFEFF# all\nA=1 2 \n\n  B="x"=y\nFROM_ENV\n'),
    writeFile(join(workspace, "bad.env"), "export A=1\n"),
    writeFile(join(workspace, "dashboards", "one.json"), "{}"),
    writeFile(join(workspace, "dashboards", "two.json"), "{}"),
    writeFile(join(workspace, "dashboards", "deep", "three.json"), "{}"),
  ]);
});
afterAll(() => rm(workspace, { recursive: true, force: true }));

async function read(
  raw: string,
  environment: Record<string, string> = {},
  kind: "Secret" | "ConfigMap" = "Secret",
  secrets = new Secrets(),
): Promise<readonly ConfigObject[]> {
  const parsed = parseConfig(kind, raw);
  if ("issues" in parsed) throw new Error(JSON.stringify(parsed.issues));
  return readJobConfig(parsed.declarations, { workspace, environment, secrets });
}

function texts([object]: readonly ConfigObject[]): Record<string, string> {
  return Object.fromEntries([...(object?.content ?? [])].map(([key, value]) => [key, `${value}`]));
}

async function causeOf(raw: string, environment: Record<string, string> = {}): Promise<string> {
  const error = await read(raw, environment).catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw new Error(`no UserError but ${error}`);
  return error.cause;
}

describe("what a job's Secrets and ConfigMaps hold", () => {
  it("comes from files, folders and env files", async () => {
    expect(texts(await read("a: { files: [app.json, x=app.json, dashboards] }"))).toEqual({
      "app.json": '{"a":1}\n',
      x: '{"a":1}\n',
      "one.json": "{}",
      "two.json": "{}",
    });
    expect(texts(await read("a: { env-file: prod.env }", { FROM_ENV: "here" }))).toEqual({
      A: "1 2 ",
      B: '"x"=y',
      FROM_ENV: "here",
    });
  });

  it("is a docker configuration for a registry", async () => {
    const raw = "a: { type: docker-registry, server: ghcr.io, username: me, password-env: P }";
    const config = texts(await read(raw, { P: "p:w$" }))[".dockerconfigjson"] ?? "";
    expect(JSON.parse(config)).toEqual({
      auths: { "ghcr.io": { username: "me", password: "p:w$", auth: "bWU6cDp3JA==" } },
    });
  });

  it("is a certificate that belongs to its key", async () => {
    const raw = "a: { type: tls, from-env: { tls.crt: C, tls.key: K } }";
    expect(texts(await read(raw, { C: CERTIFICATE, K: KEY }))["tls.key"]).toBe(KEY);
    expect(await causeOf(raw, { C: CERTIFICATE, K: OTHER_KEY })).toMatch(
      /does not belong to the key/,
    );
    expect(await causeOf(raw, { C: KEY, K: KEY })).toMatch(/tls\.crt is not a certificate in PEM/);
    expect(await causeOf(raw, { C: CERTIFICATE, K: "nonsense-key" })).not.toMatch(/nonsense/);
  });

  it.each<[string, string, RegExp]>([
    [
      "a variable that is not set",
      "a: { from-env: NOPE }",
      /secret\/a: the variable NOPE is not set.*env: \{ NOPE/,
    ],
    ["an empty variable", "a: { from-env: EMPTY }", /the value of EMPTY is empty.*variable EMPTY/],
    ["an empty literal", "a:\n  literals: |\n    K=", /the value of K is empty/],
    ["an empty file", "a: { files: empty }", /the value of empty is empty/],
    ["no such file", "a: { files: nope }", /nope does not exist in the workspace/],
    ["a file that is too big", "a: { files: big }", /big has 1048577 bytes/],
    ["files too big together", "a: { files: [half, other=half] }", /holds 1200000 bytes/],
    [
      "a key from two places",
      "a: { files: app.json, from-env: { app.json: A } }",
      /app.json comes twice/,
    ],
    ["a folder under one key", "a: { files: x=dashboards }", /dashboards is a folder/],
    [
      "lines that are no pairs",
      "a: { env-file: bad.env }",
      /bad\.env, line 1: it is not NAME=value/,
    ],
    ["no certificate at all", "a: { type: tls, from-env: A }", /tls\.crt and tls\.key is missing/],
    [
      "no docker configuration",
      "a: { type: docker-registry, from-env: A }",
      /needs server, username/,
    ],
    [
      "what is no JSON",
      "a: { type: docker-registry, from-env: { .dockerconfigjson: A } }",
      /is no JSON/,
    ],
    [
      "an empty password",
      "a: { type: docker-registry, username: u, password-env: EMPTY }",
      /the password is empty/,
    ],
  ])("refuses %s", async (_, raw, expected) => {
    expect(await causeOf(raw, { EMPTY: "", A: "value-of-a" })).toMatch(expected);
  });

  it("may be empty where that is allowed", async () => {
    expect(texts(await read("a: { from-env: [E, A], allow-empty: E }", { E: "", A: "x" }))).toEqual(
      {
        A: "x",
        E: "",
      },
    );
  });

  it("tells every problem of every object at once", async () => {
    const cause = await causeOf("a: { from-env: [X, Y] }\nb: { files: nope }");
    expect(cause.split("\n")).toHaveLength(3);
  });

  it("survives as it is, and is hidden before anybody could print it", async () => {
    const value = fc
      .string({ unit: "binary", minLength: 4, maxLength: 80 })
      .map((text) => text.toWellFormed().replaceAll("\0", "0"));
    await fc.assert(
      fc.asyncProperty(value, async (text) => {
        const secrets = new Secrets();
        const [object] = await read("a: { from-env: V }", { V: text }, "Secret", secrets).catch(
          () => [],
        );
        if (object === undefined) return;
        expect(`${object.content.get("V")}`).toBe(text);
        const trimmed = text.trim();
        if (trimmed.length >= 4 && !/^(true|false|null|none)$/i.test(trimmed)) {
          expect(secrets.redact(`x ${trimmed} y`)).not.toContain(trimmed);
          expect(secrets.redact(JSON.stringify({ trimmed }))).not.toContain(
            JSON.stringify(trimmed),
          );
        }
      }),
    );
  });

  it("of a ConfigMap is not hidden", async () => {
    const secrets = new Secrets();
    await read("a: { from-env: V }", { V: "production" }, "ConfigMap", secrets);
    expect(secrets.redact("production")).toBe("production");
  });
});
