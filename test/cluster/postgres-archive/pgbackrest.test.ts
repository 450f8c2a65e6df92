import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import {
  backupsIn,
  chooseSet,
  examineRepository,
  parseTarget,
} from "../../../shared/postgres-archive/index.ts";
import type { Tier } from "../../../shared/proof/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { alarmsOf, worldOf } from "../postgres-restore/proving-ground.ts";

jest.setTimeout(60_000);

const NOBODY = 65_534;
const folder = mkdtempSync(join(tmpdir(), "seaworthy-pgbackrest-"));
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
  run("--start-fast", "backup");
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

async function examine(tier: Tier, to: string) {
  const repository = { stanza: "main", folder: join(folder, "repository") };
  const target = parseTarget(to);
  const set = chooseSet(await backupsIn(repository, worldOf()), "latest", target);
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

test("a stanza that is not there is told", async () => {
  const repository = { stanza: "other", folder: join(folder, "repository") };
  await expect(backupsIn(repository, worldOf())).rejects.toThrow("no backup of the stanza other");
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
