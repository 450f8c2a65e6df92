import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import {
  chooseSet,
  examineRepository,
  parseTarget,
} from "../../../shared/postgres-archive/index.ts";
import { pgBackRest } from "../../../shared/postgres-archive/pgbackrest.ts";
import type { RepositoryPlace } from "../../../shared/postgres-archive/repository.ts";
import type { Tier } from "../../../shared/proof/index.ts";
import { type StorageSettings, storageAccess } from "../../../shared/storage/index.ts";
import { bundleOf, runStep } from "../../runner/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { alarmsOf, worldOf } from "../postgres-restore/proving-ground.ts";
import { Bucket } from "../storage/bucket.ts";

jest.setTimeout(60_000);

const NOBODY = 65_534;
const folder = mkdtempSync(join(tmpdir(), "seaworthy-pgbackrest-"));
const place = { kind: "folder" as const, path: join(folder, "repository") };
const path = process.env.PATH;
let server: PostgresServer;
let moment = "";

beforeAll(async () => {
  const { postgres, pgbackrest = "" } = await resolveEndpoints(["postgres-15", "pgbackrest"]);
  const program = join(pgbackrest, "pgbackrest");
  process.env.PATH = `${pgbackrest}:${path}`;
  chmodSync(folder, 0o755);
  for (const name of ["repository", "lock", "private"]) {
    mkdirSync(join(folder, name), { mode: 0o755 });
    if (process.getuid?.() === 0) chownSync(join(folder, name), NOBODY, NOBODY);
  }
  const own = `--no-config --stanza=main --repo1-path=${folder}/repository --lock-path=${folder}/lock --log-level-file=off --log-level-console=error`;
  server = await PostgresServer.start(postgres?.["15"] ?? "", {
    settings: { archive_mode: "on", wal_level: "replica", archive_command: "'false'" },
    initdb: ["--wal-segsize=1"],
  });
  const push = `${program} ${own} --pg1-path=${server.data} archive-push %p`;
  server.query(`ALTER SYSTEM SET archive_command = '${push}'`);
  server.query("SELECT pg_reload_conf()");
  const where = [`--pg1-path=${server.data}`, `--pg1-socket-path=${server.folder}`];
  const run = (...args: string[]) =>
    server.query(
      `COPY (SELECT 1) TO PROGRAM '${[program, own, ...where, "--pg1-user=postgres", ...args].join(" ")}'`,
    );
  run("stanza-create");
  server.query("CREATE TABLE steps (id int); INSERT INTO steps VALUES (1)");
  run("--start-fast", "--repo1-bundle", "backup");
  server.query("INSERT INTO steps VALUES (2)");
  moment = server
    .query(
      `SELECT pg_sleep(0.02); SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'); SELECT pg_sleep(0.02)`,
    )
    .trim();
  server.query("INSERT INTO steps VALUES (3)");
  server.query("SELECT pg_switch_wal()");
  await server.stop();
}, 90_000);

afterAll(async () => {
  process.env.PATH = path;
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function examine(tier: Tier, to: string, at: RepositoryPlace = place) {
  await using repository = await pgBackRest({ stanza: "main", place: at });
  const target = parseTarget(to);
  const set = chooseSet(await repository.backups(worldOf()), "latest", target, repository);
  const within = join(folder, "private");
  const settings = {
    target,
    timeline: "latest" as const,
    bin: server.bin,
    memory: 2 ** 30,
    within,
  };
  return await examineRepository(repository, set, { known: {}, settings }, tier, worldOf());
}

test("a backup is recovered to a moment, and goes on behind it", async () => {
  const examination = await examine("data", moment);
  expect(alarmsOf(examination)).toEqual([]);
  expect(examination.items).toEqual([expect.objectContaining({ name: "public.steps", found: 2 })]);
  expect(examination.circumstances?.["point in time"]).toContain("the next one");
  expect(readdirSync(join(folder, "private"))).toEqual([]);
});

test("a database of it is restored into a real server by restore-database", async () => {
  await server.start();
  try {
    const { exitCode, outputs } = await runStep(bundleOf("restore-database"), {
      inputs: {
        ...{ kind: "pgbackrest", name: "main", storage: place.path, "point-in-time": moment },
        ...{ "source-database": "postgres", target: server.url("restored") },
        "postgres-bin": server.bin,
      },
    });
    expect([exitCode, outputs.cause]).toEqual([0, ""]);
    expect(server.query("SELECT count(*), max(id) FROM steps", "restored")).toBe("2|2");
  } finally {
    await server.stop();
  }
});

/** A server of TLS before one of plain HTTP, by an authority of its own; pgbackrest speaks nothing else. */
async function withTls(target: URL) {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "ca.pem")];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert];
  execFileSync("openssl", ["req", "-x509", ...names, ...made], { stdio: "ignore" });
  const ca = readFileSync(cert, "utf8");
  const open = new Set<Socket>();
  const server = createServer({ key: readFileSync(key), cert: ca }, (client) => {
    const behind = connect(Number(target.port), target.hostname);
    for (const socket of [client, behind]) {
      open.add(socket);
      socket.on("error", () => {}).on("close", () => open.delete(socket));
    }
    client.pipe(behind).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    ca,
    endpoint: `https://localhost:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The repository in a bucket, and how that is reached. */
async function inBucket() {
  const { objectStore } = await resolveEndpoints(["minio"]);
  if (objectStore === undefined) throw new Error("the test bed has no MinIO");
  const { url: endpoint, accessKeyId, secretAccessKey, region } = objectStore;
  const keys = { accessKeyId, secretAccessKey, region };
  const bucket = await new Bucket({ endpoint, ...keys }).create();
  const storage = await bucket.open();
  const files = readdirSync(place.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const { signal } = worldOf();
  const some = async (lane: number) => {
    for (const file of files.filter((_, at) => at % 8 === lane))
      await storage.write(file.slice(place.path.length + 1), readFileSync(file), { signal });
  };
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(some));
  const settings: StorageSettings = { location: bucket.settings.location, ...keys };
  return { bucket, settings, endpoint };
}

test("a repository in a bucket is reached by TLS, with keys that no argument shows", async () => {
  const { bucket, settings, endpoint } = await inBucket();
  await using _ = bucket;
  await using front = await withTls(new URL(endpoint));
  const reach = async (given: Partial<StorageSettings>) => {
    const access = await storageAccess({ ...settings, ...front, ...given }, worldOf());
    if (access.kind !== "s3") throw new Error("it is a bucket");
    return access;
  };
  const examination = await examine("data", moment, await reach({}));
  expect(alarmsOf(examination)).toEqual([]);
  expect(examination.items).toEqual([expect.objectContaining({ name: "public.steps", found: 2 })]);
  const told = async (given: Partial<StorageSettings>) =>
    await examine("integrity", "latest", await reach(given)).catch((error: Error) => `${error}`);
  expect(await told({ secretAccessKey: "wrong-wrong-wrong" })).toMatch(/SignatureDoesNotMatch|403/);
  expect(await told({ endpoint })).toMatch(/by TLS only/);
});

test("a stanza that is not there is told", async () => {
  await using repository = await pgBackRest({ stanza: "other", place });
  await expect(repository.backups(worldOf())).rejects.toThrow("no backup of the stanza other");
});

test("WAL that is missing in the repository is found", async () => {
  const archive = join(folder, "repository", "archive", "main", "15-1", "0000000100000000");
  const newest =
    readdirSync(archive)
      .filter((name) => name.endsWith(".gz"))
      .sort()
      .at(-2) ?? "";
  rmSync(join(archive, newest));
  const examination = await examine("data", "latest");
  expect(examination.findings.map(({ what }) => what).join("\n")).toMatch(/missing/);
});
