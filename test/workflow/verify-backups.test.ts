import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { dump } from "js-yaml";
import { execute } from "../../shared/process/index.ts";
import { Secrets } from "../../shared/secrets/index.ts";
import { PostgresServer } from "../servers/postgres.ts";
import { RedisServer } from "../servers/redis.ts";
import { SearchServer } from "../servers/search.ts";
import { type Endpoints, endpoints } from "../testbed/index.ts";
import { type ActResult, makeWorkspace, runWorkflow, type Workspace } from "./act/index.ts";

const LONG = 300_000;
const MAJOR = "16";

let bed: Endpoints;
let workspace: Workspace;
let postgres: PostgresServer;
let redis: RedisServer;
let search: SearchServer;
let storage: string;

beforeAll(async () => {
  bed = await endpoints();
  [workspace, postgres, redis, search] = await Promise.all([
    makeWorkspace(),
    PostgresServer.start(bed.postgres[MAJOR] ?? ""),
    RedisServer.start(bed.redis),
    SearchServer.start(bed, "opensearch"),
  ]);
  storage = join(workspace.folder, "backups");
  await postgres.query(
    `CREATE TABLE papers (id int PRIMARY KEY, title text NOT NULL, year int);
     INSERT INTO papers SELECT g, 'paper ' || g, 2000 + g % 26 FROM generate_series(1, 5000) g;
     CREATE INDEX ON papers (year)`,
    "postgres",
  );
  await tell(["SET", "session:1", "ada"]);
  await tell(["HSET", "user:1", "name", "ada", "role", "admin"]);
  await index("papers", { title: "On computable numbers", year: 1936 });
}, LONG);

afterAll(async () => {
  await search?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
  await workspace?.[Symbol.asyncDispose]();
}, LONG);

async function tell(words: readonly string[]): Promise<void> {
  const program = join(bed.redis, "redis-cli");
  await execute(
    { program, args: ["-s", redis.socket, ...words] },
    { signal: AbortSignal.timeout(LONG), secrets: new Secrets() },
  );
}

async function index(name: string, document: object): Promise<void> {
  const answer = await fetch(`${search.url}/${name}/_doc?refresh=true`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(document),
  });
  expect(answer.status).toBe(201);
}

/** The nightly workflow of docs/backups.md: back up, then verify all of it, whatever came before. */
async function night({ backUp }: { readonly backUp: boolean }): Promise<ActResult> {
  const sources = [
    { name: "papers", source: postgres.url("postgres") },
    { name: "cache", source: redis.url, kind: "redis" },
    {
      ...{ name: "search", source: search.url, kind: "opensearch", repository: "nightly" },
      "repository-settings": JSON.stringify({
        type: "fs",
        settings: { location: search.snapshots },
      }),
    },
  ];
  const queries =
    "- {name: papers there are, sql: select count(*) from papers, expect: {min: 5000}}";
  const backups = [
    { name: "papers", tier: "full", queries },
    { name: "cache", tier: "data" },
    { name: "search", tier: "data", "restore-to": search.url },
  ];
  const caller = {
    on: { schedule: [{ cron: "17 2 * * *" }] },
    jobs: {
      ...(backUp && {
        "back-up": {
          "runs-on": "ubuntu-latest",
          steps: [
            { uses: "actions/checkout@v5" },
            ...sources.map((source) => ({
              ...{ id: source.name, uses: "./actions/backup-database" },
              with: { ...source, storage, passphrase: "nightly secret" },
            })),
          ],
        },
      }),
      verify: {
        ...(backUp && { needs: "back-up" }),
        // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the workflow's.
        if: "${{ always() }}",
        uses: "./.github/workflows/verify-backups.yml",
        with: {
          backups: JSON.stringify(backups),
          ...{ storage, rpo: "26h" },
        },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of the workflow's.
        secrets: { passphrase: "${{ secrets.BACKUP_PASSPHRASE }}" },
      },
    },
  };
  await workspace.write(".github/workflows/backups.yml", dump(caller));
  return await runWorkflow({
    repository: workspace.folder,
    workflow: ".github/workflows/backups.yml",
    event: "schedule",
    secrets: { BACKUP_PASSPHRASE: "nightly secret" },
    variables: {},
    environment: { UPLOADS: join(workspace.folder, "uploads") },
    path: [bed.bin, bed.postgres[MAJOR] ?? "", bed.redis],
    deadline: LONG,
  });
}

describe("the nightly workflow, against a real PostgreSQL, Redis and OpenSearch", () => {
  it(
    "takes all three, restores each, and proves it",
    async () => {
      const result = await night({ backUp: true });
      expect({ passed: result.passed, log: result.passed || result.log }).toEqual({
        passed: true,
        log: true,
      });
      const summary = result.summary();
      for (const proven of ["papers is proven", "cache is proven", "search is proven"]) {
        expect(summary).toContain(proven);
      }
      expect(result.outputs("verdict")).toEqual({ verdict: "passed" });
      const uploads = join(workspace.folder, "uploads");
      // The number behind it is that of the job, which depends on the order they were begun in.
      const folder = (await readdir(uploads)).find((each) => /-papers-\d*$/.test(each)) ?? "";
      expect(folder).toMatch(/^backup-verification-/);
      const report = join(uploads, folder, "report.json");
      expect(JSON.parse(await readFile(report, "utf8"))).toMatchObject({
        ...{ verdict: "passed", name: "papers", reached: "full" },
      });
    },
    LONG,
  );

  it(
    "names the one that is damaged, and still proves the others",
    async () => {
      const [id = ""] = await readdir(join(storage, "papers"));
      const file = join(storage, "papers", id, "dump.pgdump.zst.age");
      const bytes = await readFile(file);
      bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
      await writeFile(file, bytes);
      const result = await night({ backUp: false });
      expect(result.passed).toBe(false);
      const summary = result.summary();
      expect(summary).toContain("papers is damaged");
      expect(summary).toContain("cache is proven");
      expect(result.outputs("verdict")).toEqual({ verdict: "failed" });
    },
    LONG,
  );
});
