import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { UserError } from "../../../shared/failure/index.ts";
import { examineSnapshot, type SearchSettings } from "../../../shared/search-cluster/index.ts";
import { SearchServer } from "../../servers/search.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { backUp, Search, worldWith } from "./search.ts";

jest.setTimeout(60_000);

let server: SearchServer;
let search: Search;
let settings: SearchSettings & { repository: string };

beforeAll(async () => {
  server = await SearchServer.start(await resolveEndpoints(["opensearch"]), "opensearch");
  search = new Search(server.url);
  settings = {
    ...{ product: "opensearch", url: server.url, repository: "main" },
    repositorySettings: { type: "fs", settings: { location: join(server.snapshots, "main") } },
  };
  const index = { number_of_shards: 2, number_of_replicas: 0 };
  await search.ask("PUT", "/papers", {
    settings: { index },
    mappings: { properties: { title: { type: "keyword" }, doi: { type: "long" } } },
    aliases: { library: {} },
  });
  await search.fill("papers", 3_000);
});

afterAll(() => server?.[Symbol.asyncDispose]());

function examine(
  backup: Awaited<ReturnType<typeof backUp>>,
  tier: "integrity" | "data" | "full" = "data",
  of: SearchSettings = settings,
) {
  return examineSnapshot(backup.opened, { tier, cluster: of }, worldWith().world);
}

/** Detectors but for the one that sees at once that it is another snapshot. */
function withoutSize({ findings }: Awaited<ReturnType<typeof examine>>): string[] {
  return findings.map(({ detector }) => detector).filter((detector) => detector !== "size");
}

async function failure(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error;
  throw new Error(`no UserError, but ${error}`);
}

describe("a backup of an index", () => {
  it("is proven by restoring every document under another name", async () => {
    const backup = await backUp(settings);
    expect(backup.captured.measures).toMatchObject({ documents: 3_000, indices: 1, shards: 2 });
    expect(backup.captured.source).toMatchObject({ repository: "main (fs)" });
    expect([...backup.parts.keys()]).toEqual(["snapshot.json"]);
    for (const tier of ["integrity", "data", "full"] as const) {
      const found = await examine(backup, tier);
      expect(found).toMatchObject({ findings: [], reached: tier });
      if (tier !== "integrity") {
        expect(found.items).toMatchObject([
          { name: "papers", expected: 3_000, found: 3_000, same: true },
        ]);
        expect(found.restoreSeconds).toBeGreaterThan(0);
      }
    }
    expect(await search.names("seaworthy-*")).toEqual([]);
    expect(await search.ask("GET", "/_alias/library")).toEqual({
      papers: { aliases: { library: {} } },
    });
  });

  it("that is written to while the snapshot is taken gives no false alarm", async () => {
    await search.ask("PUT", "/busy", {
      settings: { index: { number_of_shards: 2, number_of_replicas: 0 } },
    });
    await search.fill("busy", 2_000);
    const isOver = new AbortController();
    let written = 0;
    const writing = (async () => {
      while (!isOver.signal.aborted) {
        await search.fill("busy", 20, 1_900 + written);
        written += 20;
      }
    })();
    const backup = await backUp({ ...settings, indices: ["busy"] });
    isOver.abort();
    await writing;
    expect(written).toBeGreaterThan(20);
    const found = await examine(backup);
    expect(found.findings).toEqual([]);
    expect(found.unknown.join()).toContain("busy that were written to");

    // What was lost beside what moved is seen all the same.
    const fingerprint = (await backup.opened.fingerprint(new AbortController().signal)) as {
      snapshot: { name: string };
    };
    const lost = await snapshotOf("busy", () =>
      search.ask("POST", "/busy/_delete_by_query?refresh=true", {
        query: { ids: { values: ["paper-7"] } },
      }),
    );
    Object.assign(fingerprint.snapshot, lost);
    expect(withoutSize(await examine(backup))).toEqual(["document-count", "content"]);
    await search.ask("DELETE", "/busy");
  });

  it("with an index that was never written to, and a data stream, is whole", async () => {
    await search.ask("PUT", "/empty", { settings: { index: { number_of_replicas: 0 } } });
    await search.ask("PUT", "/_index_template/streams", {
      index_patterns: ["logs-*"],
      data_stream: {},
      template: { settings: { number_of_replicas: 0 } },
    });
    await search.ask("PUT", "/_data_stream/logs-app");
    const some = { ...settings, indices: ["empty", "logs-app"] };
    const backup = await backUp(some);
    expect(backup.captured.measures).toMatchObject({ documents: 0, indices: 2 });
    expect(await examine(backup, "full", some)).toMatchObject({ findings: [], reached: "full" });
    await search.ask("DELETE", "/_data_stream/logs-app");
    await search.ask("DELETE", "/empty");
  });

  it("with closed, unknown or unreadable indices is refused with the cause", async () => {
    await search.fill("shut", 1);
    await search.ask("POST", "/shut/_close");
    expect((await failure(backUp({ ...settings, indices: ["shut"] }))).cause).toContain(
      "closed: shut",
    );
    await search.ask("DELETE", "/shut");
    expect((await failure(backUp({ ...settings, indices: ["nothing-*"] }))).title).toContain(
      "no index",
    );
    const elsewhere = { ...settings, repository: "other", repositorySettings: undefined };
    expect((await failure(backUp(elsewhere))).cause).toContain("It knows: main");
    const another = { type: "fs", settings: { location: join(server.snapshots, "second") } };
    expect((await failure(backUp({ ...settings, repositorySettings: another }))).cause).toContain(
      "second",
    );
    const outside = { type: "fs", settings: { location: "/etc/seaworthy" } };
    const wrong = { ...settings, repository: "outside", repositorySettings: outside };
    expect((await failure(backUp(wrong))).title).toContain("cannot be registered");
    const product = { ...settings, product: "elasticsearch" } as const;
    expect((await failure(backUp(product))).cause).toContain("It is OpenSearch 3");
    const away = { ...settings, url: "http://127.0.0.1:1" };
    expect((await failure(backUp(away))).title).toContain("does not answer");
  });

  it("without sources counts its documents, and says that their content is not proven", async () => {
    await search.ask("PUT", "/blind", {
      settings: { index: { number_of_shards: 1, number_of_replicas: 1 } },
      mappings: { _source: { enabled: false } },
    });
    await search.fill("blind", 10);
    const backup = await backUp({ ...settings, indices: ["blind"] });
    expect(backup.captured.notes.join()).toContain("blind keep no _source");
    expect(backup.captured.notes.join()).toContain("Replicas of blind were missing");
    const found = await examine(backup);
    expect(found.findings).toEqual([]);
    expect(found.items).toMatchObject([{ name: "blind", found: 10, same: undefined }]);
    await search.ask("DELETE", "/blind");
  });

  it("that is cancelled leaves no snapshot behind", async () => {
    const cancel = new AbortController();
    const { world } = worldWith(cancel.signal);
    const slow = { location: join(server.snapshots, "slow"), max_snapshot_bytes_per_sec: "1kb" };
    const wanted = {
      ...settings,
      repository: "slow",
      repositorySettings: { type: "fs", settings: slow },
    };
    const backup = backUp(wanted, world);
    const ended = expect(backup).rejects.toThrow("cancelled");
    const running = () =>
      search
        .ask<{ snapshots: unknown[] }>("GET", "/_snapshot/slow/_current")
        .catch(() => ({ snapshots: [] }));
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    backup.then(over, over);
    while (!isOver && (await running()).snapshots.length === 0) await sleep(20);
    cancel.abort(new Error("cancelled"));
    await ended;
    expect(await search.ask("GET", "/_snapshot/slow/_all")).toMatchObject({ snapshots: [] });
  });
});

/** A snapshot of something else in the place of the one that a fingerprint names. */
async function snapshotOf(index: string, change: () => Promise<unknown>) {
  await change();
  const name = `other-${randomBytes(3).toString("hex")}`;
  const body = { indices: index, include_global_state: false };
  const { snapshot } = await search.ask<{ snapshot: { uuid: string } }>(
    "PUT",
    `/_snapshot/main/${name}?wait_for_completion=true`,
    body,
  );
  return { name, uuid: snapshot.uuid };
}

describe("a snapshot that is not what it was", () => {
  it.each([
    [
      "a document lost",
      ["document-count", "content"],
      (index: string) =>
        search.ask("POST", `/${index}/_delete_by_query?refresh=true`, {
          query: { ids: { values: ["paper-3"] } },
        }),
    ],
    [
      "a document changed",
      ["content"],
      (index: string) =>
        search.ask("POST", `/${index}/_update/paper-5?refresh=true`, { doc: { title: "other" } }),
    ],
    [
      "a mapping changed",
      ["mapping"],
      (index: string) =>
        search.ask("PUT", `/${index}/_mapping`, { properties: { extra: { type: "keyword" } } }),
    ],
  ])("%s", async (_what, detectors, change) => {
    const index = `sample-${randomBytes(3).toString("hex")}`;
    await search.fill(index, 200);
    const backup = await backUp({ ...settings, indices: [index] });
    const fingerprint = (await backup.opened.fingerprint(new AbortController().signal)) as {
      snapshot: object;
    };
    Object.assign(fingerprint.snapshot, await snapshotOf(index, () => change(index)));
    expect(withoutSize(await examine(backup))).toEqual(detectors);
    await search.ask("DELETE", `/${index}`);
  });

  it("is told when it is gone, replaced, or broken on disk", async () => {
    const location = join(server.snapshots, "broken");
    const own = {
      ...settings,
      indices: ["papers"],
      repository: "broken",
      repositorySettings: { type: "fs", settings: { location } },
    };
    const backup = await backUp(own);
    const data = filesIn(location)
      .filter((file) => /\/__/.test(file))
      .sort((a, b) => statSync(b).size - statSync(a).size);
    const [largest = ""] = data;
    const content = readFileSync(largest);
    content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 0xff;
    writeFileSync(largest, content);
    const flipped = await examine(backup, "data", own);
    expect(flipped.findings).toMatchObject([
      { detector: "restore", weight: "damage", subject: "index papers" },
    ]);
    truncateSync(largest, 10);
    expect((await examine(backup, "data", own)).findings).toMatchObject([{ detector: "restore" }]);
    expect((await examine(backup, "integrity", own)).findings).toEqual([]);

    const { name } = (
      (await backup.opened.fingerprint(new AbortController().signal)) as {
        snapshot: { name: string };
      }
    ).snapshot;
    await search.ask("DELETE", `/_snapshot/broken/${name}`);
    const gone = await examine(backup, "data", own);
    expect(gone).toMatchObject({
      reached: "integrity",
      findings: [{ detector: "snapshot", weight: "damage" }],
    });
    expect(await search.names("seaworthy-*")).toEqual([]);
  });
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
