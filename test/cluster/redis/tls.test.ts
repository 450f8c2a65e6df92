import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { UserError } from "../../../shared/failure/index.ts";
import { type RedisSettings, redisSource } from "../../../shared/redis/index.ts";
import { Kept } from "../../backups/kept.ts";
import { testWorld } from "../../backups/world.ts";
import { freePort } from "../../servers/free-port.ts";
import { RedisServer } from "../../servers/redis.ts";
import { resolveEndpoints } from "../../testbed/index.ts";

let folder: string;
let server: RedisServer;
let url: string;

/** An authority, and certificates that it signed. */
function makeCertificates(): void {
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "rsa:2048", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=authority",
    "-days",
    "2",
  );
  for (const name of ["server", "client"]) {
    openssl(
      "req",
      ...key,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
      "-addext",
      "subjectAltName=DNS:localhost",
    );
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-out",
      `${name}.pem`,
      "-days",
      "2",
      "-copy_extensions",
      "copy",
    );
  }
}

beforeAll(async () => {
  const { redis: programs } = await resolveEndpoints(["redis"]);
  folder = mkdtempSync(join(tmpdir(), "seaworthy-tls-"));
  makeCertificates();
  const port = await freePort();
  server = await RedisServer.start(programs, [
    `tls-port ${port}`,
    `tls-cert-file ${folder}/server.pem`,
    `tls-key-file ${folder}/server.key`,
    `tls-ca-cert-file ${folder}/ca.pem`,
    "tls-replication yes",
  ]);
  url = `rediss://localhost:${port}`;
}, 60_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function pem(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

async function refusal(settings: RedisSettings): Promise<string> {
  return await redisSource(settings)
    .capture(new Kept(), testWorld())
    .then(
      () => "it was taken",
      (error: UserError) => `${error.cause} ${error.remedy}`,
    );
}

describe("a server that speaks TLS and asks for certificates", () => {
  test("is backed up by who has them", async () => {
    const settings = {
      ca: pem("ca.pem"),
      clientCertificate: pem("client.pem"),
      clientKey: pem("client.key"),
    };
    const kept = await Kept.of(redisSource({ url, ...settings }), testWorld());
    expect(kept.captured?.measures).toMatchObject({ keys: 0 });
  });

  test("is not believed without its authority", async () => {
    expect(await refusal({ url })).toMatch(/certificate of the authority/);
  });

  test("says what it wants of who has no certificate", async () => {
    expect(await refusal({ url, ca: pem("ca.pem") })).toMatch(
      /client's certificate|certificate required/i,
    );
  });

  test("says that it speaks TLS to who does not", async () => {
    expect(await refusal({ url: url.replace("rediss:", "redis:") })).toMatch(/rediss:\/\//);
  });
});
