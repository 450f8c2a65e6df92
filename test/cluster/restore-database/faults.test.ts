import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { bundleOf, failureOf, runStep, type Step, startStep } from "../../runner/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { SHOP, STATE, WHOLE } from "./shop.ts";

const RESTORE = bundleOf("restore-database");
const NOBODY = 65_534;
const MIB = 2 ** 20;
const ROLES = 'CREATE ROLE reader; CREATE ROLE "odd-Role"';

let older: PostgresServer;
let newer: PostgresServer;
let folder: string;

beforeAll(async () => {
  const programs = (await resolveEndpoints(["postgres"])).postgres ?? {};
  [older, newer] = await Promise.all([
    PostgresServer.start(programs["15"] ?? ""),
    PostgresServer.start(programs["18"] ?? ""),
  ]);
  folder = mkdtempSync(join(tmpdir(), "seaworthy-restore-test-"));
  // Of a server's user, who finds a disk of its own in it.
  chmodSync(folder, 0o755);
  for (const server of [older, newer]) server.query(ROLES);
  older.query(
    `CREATE DATABASE shop TEMPLATE template0 OWNER "odd-Role" LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'`,
  );
  older.query(SHOP, "shop");
}, 30_000);
afterAll(async () => {
  await older?.[Symbol.asyncDispose]();
  await newer?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function backUp(name: string, inputs: Readonly<Record<string, string>> = {}): Promise<void> {
  const source = { name, storage: folder, kind: "postgres", source: older.url("shop") };
  const { exitCode, stdout } = await runStep(bundleOf("backup-database"), {
    inputs: { ...source, "postgres-bin": older.bin, ...inputs },
  });
  if (exitCode !== 0) throw new Error(stdout);
}

function inputsFor(server: PostgresServer, name: string, database: string) {
  const where = { storage: folder, "postgres-bin": server.bin, target: server.url(database) };
  return { ...where, name, replace: database, "backup-before": "false" };
}

async function restore(
  server: PostgresServer,
  name: string,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Step> {
  return await runStep(RESTORE, { inputs: { ...inputsFor(server, name, "shop"), ...inputs } });
}

function databases(server: PostgresServer): string {
  return server.query(
    "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname !~ '^(postgres|template.)$'",
  );
}

describe("from 15 to 18", () => {
  it("a backup under a passphrase becomes a database with its ICU locale and its owner", async () => {
    const passphrase = "correct horse battery staple";
    await backUp("phrase", { passphrase });
    const mistaken = await restore(newer, "phrase", { passphrase: "correct horse" });
    expect(failureOf(mistaken)).toContain("The passphrase is wrong");
    const { exitCode, outputs } = await restore(newer, "phrase", { passphrase });
    expect([exitCode, outputs.cause]).toEqual([0, ""]);
    expect(newer.query(STATE, "shop")).toBe(WHOLE);
    const facts =
      "SELECT datlocprovider, datlocale, datdba::regrole FROM pg_database WHERE datname = 'shop'";
    expect(newer.query(facts)).toBe('i|de-DE|"odd-Role"');
  }, 30_000);

  it("an extension that is no longer there is named before anything is made", async () => {
    older.query("CREATE EXTENSION adminpack", "shop");
    await backUp("packed");
    older.query("DROP EXTENSION adminpack", "shop");
    expect(failureOf(await restore(newer, "packed"))).toContain("needs adminpack, and the target");
    expect(databases(newer)).toBe("shop");
  }, 20_000);

  it("a server that is killed leaves the database as it was, and the next run goes on", async () => {
    const identity = await generateX25519Identity();
    await backUp("killed", { "encrypt-to": await identityToRecipient(identity) });
    newer.query("DELETE FROM app.lines", "shop");
    const inputs = { ...inputsFor(newer, "killed", "shop"), identity, "keep-previous": "false" };
    const running = await startStep(RESTORE, { inputs });
    await running.logged(/Restoring into/);
    await newer.stop("SIGKILL");
    expect(failureOf(await running.finished)).toContain("The connection to the target broke off");
    await newer.start();
    expect(newer.query("SELECT count(*) FROM app.lines", "shop")).toBe("0");
    expect((await runStep(RESTORE, { inputs })).exitCode).toBe(0);
    expect(newer.query(STATE, "shop")).toBe(WHOLE);
    expect(databases(newer)).toBe("shop");
  }, 30_000);

  it("a disk that fills up is told as that, and what was there is as it was", async () => {
    older.query(
      "CREATE TABLE app.bulk AS SELECT repeat('x', 1000) FROM generate_series(1, 12000)",
      "shop",
    );
    await backUp("large");
    await using disk = smallDisk(17 * MIB);
    if (disk === undefined) return;
    await using server = await PostgresServer.start(newer.bin);
    server.query(ROLES);
    server.query(`CREATE TABLESPACE small LOCATION '${disk.path}'`);
    server.query("CREATE DATABASE tight TABLESPACE small");
    server.query("CREATE TABLE kept (i int)", "tight");
    const step = await runStep(RESTORE, { inputs: inputsFor(server, "large", "tight") });
    expect(failureOf(step)).toContain("The target's disk is full");
    expect(databases(server)).toBe("tight");
    expect(server.query("SELECT count(*) FROM kept", "tight")).toBe("0");
  }, 30_000);
});

/** A disk of its own in memory; undefined where this machine does not let us have one. */
function smallDisk(bytes: number): (AsyncDisposable & { readonly path: string }) | undefined {
  const path = join(folder, "disk");
  mkdirSync(path);
  spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "none", path]);
  if (!readFileSync("/proc/mounts", "utf8").includes(` ${path} tmpfs `)) return undefined;
  chownSync(path, NOBODY, NOBODY);
  return {
    path,
    async [Symbol.asyncDispose]() {
      spawnSync("umount", ["-l", path]);
    },
  };
}
