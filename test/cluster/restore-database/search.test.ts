import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  bundleOf,
  failureOf,
  runStep,
  type Step,
  snapshot,
  startStep,
} from "../../runner/index.ts";
import { SearchServer } from "../../servers/search.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { Search } from "../search-cluster/search.ts";

const RESTORE = bundleOf("restore-database");

let server: SearchServer;
let search: Search;
let folder: string;

beforeAll(async () => {
  server = await SearchServer.start(await resolveEndpoints(["opensearch"]), "opensearch");
  search = new Search(server.url);
  folder = mkdtempSync(join(tmpdir(), "seaworthy-restore-search-"));
  await search.ask("PUT", "/papers", {
    settings: { number_of_shards: 2, number_of_replicas: 0 },
    mappings: { properties: { title: { type: "keyword" }, doi: { type: "long" } } },
    aliases: { library: {}, current: {} },
  });
  await search.fill("papers", 500);
  await search.ask("PUT", "/_index_template/logs", {
    index_patterns: ["logs"],
    data_stream: {},
    template: { settings: { number_of_replicas: 0 } },
  });
  await log(2);
  await search.ask("POST", "/logs/_rollover");
  await log(1);
  const type = `{ "type": "fs", "settings": { "location": "${join(server.snapshots, "main")}" } }`;
  const inputs = { ...common(), kind: "opensearch", source: server.url, repository: "main" };
  const all = { ...inputs, "repository-settings": type };
  const { exitCode, stdout } = await runStep(bundleOf("backup-database"), { inputs: all });
  if (exitCode !== 0) throw new Error(stdout);
}, 60_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function common(): Record<string, string> {
  return { name: "library", storage: folder };
}

async function log(count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const body = { "@timestamp": new Date().toISOString(), message: `line ${number}` };
    await search.ask("POST", "/logs/_doc?refresh=true", body);
  }
}

async function restore(inputs: Readonly<Record<string, string>>): Promise<Step> {
  return await runStep(RESTORE, { inputs: { ...common(), target: server.url, ...inputs } });
}

async function count(index: string): Promise<number> {
  return (await search.ask<{ count: number }>("GET", `/${index}/_count`)).count;
}

describe("a restore of indices", () => {
  it("takes the place of what is there, with its aliases, proven document by document", async () => {
    await search.ask("POST", "/papers/_delete_by_query?refresh=true", {
      query: { ids: { values: ["paper-7"] } },
    });
    await search.ask("POST", "/_aliases", {
      actions: [
        { remove: { index: "papers", alias: "current" } },
        { add: { index: "papers", alias: "added-since" } },
      ],
    });
    await search.ask("PUT", "/papers/_settings", { "index.priority": 7 });
    // What a killed run left, and said of itself.
    await search.ask("PUT", "/seaworthy-restore-tovzih-ccd5b3-papers", {});
    await search.ask("PUT", "/seaworthy-lease-of-restores", {
      mappings: { _meta: { by: "a run", until: 1 } },
    });
    const { exitCode, outputs, stdout } = await restore({ replace: "papers logs" });
    expect([exitCode, exitCode === 0 ? "" : stdout]).toEqual([0, ""]);
    expect(stdout).toContain("ccd5b3-papers was left behind by a restore");
    expect([await count("papers"), await count("logs")]).toEqual([500, 3]);
    expect(await search.ask("GET", "/papers/_alias")).toEqual({
      papers: { aliases: { "added-since": {}, current: {}, library: {} } },
    });
    expect(JSON.stringify(await search.ask("GET", "/papers/_settings"))).toContain(
      '"priority":"7"',
    );
    expect(await search.names("seaworthy-*")).toEqual([]);
    const before = readdirSync(join(folder, "library-before-restore"));
    expect(before).toContain(outputs["previous-backup"]);
    // Both can be written to.
    await search.fill("papers", 1, 900);
    await log(1);
  }, 30_000);

  it("leaves alone what was not named, as its README quotes", async () => {
    const [plain, mistaken] = await Promise.all([restore({}), restore({ replace: "paper" })]);
    const said = failureOf(plain).replaceAll(server.url, "https://search.example:9200");
    const { said: now, kept } = snapshot("restore-database-search", said);
    expect(now).toBe(kept);
    expect(failureOf(mistaken)).toContain("replace names paper.");
    expect(await count("papers")).toBe(501);
  }, 20_000);

  it("restores one in place, where it was lost, and leaves an alias where it is by now", async () => {
    await search.ask("DELETE", "/papers");
    await search.ask("PUT", "/newer", { aliases: { library: {} } });
    const { exitCode, outputs, stdout } = await restore({ indices: "pap*", method: "in-place" });
    expect([exitCode, exitCode === 0 ? "" : stdout]).toEqual([0, ""]);
    expect(outputs.findings).toContain("alias library is one of another index");
    expect(outputs["previous-backup"]).toBe("");
    expect([await count("papers"), await count("logs")]).toEqual([500, 4]);
  }, 20_000);

  it("that was cancelled leaves the cluster as it was", async () => {
    const inputs = {
      ...common(),
      target: server.url,
      replace: "seaworthy",
      "backup-before": "false",
    };
    const running = await startStep(RESTORE, { inputs });
    await running.logged(/Index papers is restored as/);
    running.child.kill("SIGTERM");
    const { exitCode, stdout } = await running.finished;
    expect(exitCode).toBe(1);
    if (!stdout.includes("papers is in its place")) expect(await count("logs")).toBe(4);
    expect(await search.names("seaworthy-*")).toEqual([]);
  }, 20_000);
});
