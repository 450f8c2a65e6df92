import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import {
  bundleOf,
  failureOf,
  Runner,
  runStep,
  type Step,
  snapshot,
  startStep,
} from "../../runner/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { FaultRegistry } from "../registry/fault-registry.ts";
import { type Put, Stock } from "./stock.ts";

jest.setTimeout(60_000);

let registry: string;
let folder: string;

beforeAll(async () => {
  registry = (await resolveEndpoints(["registry"])).registry;
  folder = mkdtempSync(join(tmpdir(), "prune-images-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Inputs = Readonly<Record<string, string>>;

/** Rules that keep nothing, so that a test says what is kept. */
const bare: Inputs = {
  ...{ "keep-last": "0", "keep-younger-than": "0d", "keep-tags": "none" },
  "nothing-deployed": "true",
};

function prune(stock: Pick<Stock, "name">, inputs: Inputs, runner = {}): Promise<Step> {
  return runStep(bundleOf("prune-images"), {
    inputs: { repositories: stock.name, ...bare, ...inputs },
    environment: { RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder },
    ...runner,
  });
}

const deletedIn = (step: Step) =>
  (JSON.parse(step.outputs.deleted ?? "[]") as { digest: string }[]).map(({ digest }) => digest);

async function there(stock: Stock, puts: readonly Put[]): Promise<readonly boolean[]> {
  return Promise.all(puts.map(({ digest }) => stock.has(digest)));
}

describe("prune-images", () => {
  it("tells first, deletes the same, and finds nothing the second time", async () => {
    const stock = new Stock(registry);
    const old = await stock.image({ tags: ["sha-1", "key-1"], age: 90, base: "base" });
    const release = await stock.image({ tags: ["1.0.0"], age: 80, base: "base" });
    const multi = await stock.image({
      ...{ tags: ["sha-2"], age: 70, platforms: ["linux/amd64", "linux/arm64"] },
    });
    const signature = await stock.signature(multi);
    const attestation = await stock.attestation(multi);
    const newest = await stock.image({ tags: ["sha-3", "latest"], age: 60, base: "base" });
    const young = await stock.image({ tags: ["sha-4"], age: 3 });
    const keptSignature = await stock.signature(newest);
    const rules = { "keep-last": "2", "keep-younger-than": "30d", "keep-tags": "semver" };

    const dry = await prune(stock, rules);
    expect(dry.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(deletedIn(dry).toSorted()).toEqual([old.digest, multi.digest].toSorted());
    expect(dry.summary).toMatch(/^## ✅ Dry run: 2 images would be deleted/);
    expect(await stock.tags()).toHaveLength(10);

    const step = await prune(stock, { ...rules, mode: "delete" });
    expect(step.outputs).toMatchObject({ verdict: "passed", deleted: dry.outputs.deleted });
    expect(step.outputs["freed-bytes"]).toBe(dry.outputs["freed-bytes"]);
    expect(await there(stock, [old, multi, signature, attestation])).toEqual(Array(4).fill(false));
    expect(await there(stock, [release, newest, young, keptSignature])).toEqual(
      Array(4).fill(true),
    );
    expect(await stock.tags()).toEqual(
      ["1.0.0", "latest", "sha-3", "sha-4", `${newest.digest.replace(":", "-")}.sig`].toSorted(),
    );
    expect(step.summary).toContain("manifests and blobs of what is kept are there");
    const [report] = JSON.parse(readFileSync(step.outputs.report ?? "", "utf8"));
    expect(report.kept).toContainEqual(
      expect.objectContaining({ tags: ["1.0.0"], reasons: ["tag 1.0.0 (semver)"] }),
    );
    // Old, its two tags; the index, its parts, its signature, its attestation and the list of it.
    expect(report.deleted).toHaveLength(1 + 1 + 3 + 1 + 2);

    const again = await prune(stock, { ...rules, mode: "delete" });
    expect(again.outputs).toMatchObject({ verdict: "passed", deleted: "[]", "freed-bytes": "0" });
  });

  it("keeps a part that two images share as long as one of them is kept", async () => {
    const stock = new Stock(registry);
    const shared = await stock.image({ tags: ["one"], platforms: ["linux/amd64"] });
    const index = JSON.parse(shared.text) as { manifests: { digest: string }[]; note?: string };
    const other = await stock.image({ tags: ["two"] });
    await stock.tag(
      { ...shared, text: JSON.stringify({ ...index, annotations: { a: "b" } }) },
      "two",
    );
    const step = await prune(stock, { mode: "delete", "keep-tags": "two" });
    expect(step.outputs.verdict).toBe("passed");
    expect(await stock.has("one")).toBe(false);
    expect(await stock.has("two")).toBe(true);
    for (const { digest } of index.manifests) expect(await stock.has(digest)).toBe(true);
    // Had lost its tag before, so that this registry lists it no longer.
    expect(await stock.has(other.digest)).toBe(true);
  });

  it("never deletes build caches, charts, or what it does not know the age of", async () => {
    const stock = new Stock(registry);
    await stock.image({ tags: ["cache"], configType: "application/vnd.buildkit.cacheconfig.v0" });
    await stock.image({ tags: ["chart"], configType: "application/vnd.cncf.helm.config.v1+json" });
    await stock.image({ tags: ["epoch"], age: 365 * 60 });
    await stock.image({ tags: ["image"] });
    await prune(stock, { mode: "delete" });
    expect(await stock.tags()).toEqual(["cache", "chart", "epoch"]);
  });

  it("tells of what is missing already, and goes on", async () => {
    const stock = new Stock(registry);
    const damaged = await stock.image({
      tags: ["damaged"],
      platforms: ["linux/amd64", "linux/arm64"],
    });
    const [lost] = (JSON.parse(damaged.text) as { manifests: { digest: string }[] }).manifests;
    await stock.remove(lost?.digest ?? "");
    await stock.image({ tags: ["old"] });
    const step = await prune(stock, { mode: "delete", "keep-tags": "damaged" });
    expect(step.outputs.verdict).toBe("passed");
    expect(step.stdout).toContain(`lacks 1 manifests that it names: ${lost?.digest.slice(0, 19)}`);
    expect(await stock.tags()).toEqual(["damaged"]);
  });

  it("keeps what records name, by digest and by tag", async () => {
    const stock = new Stock(registry);
    const [a] = [await stock.image({ tags: ["a"] }), await stock.image({ tags: ["b"] })];
    await stock.image({ tags: ["c"] });
    await using runner = await Runner.create({
      "images.json": JSON.stringify({ web: { digest: a.digest } }),
      "deploy.yaml": `image: ${stock.name}:b\n`,
      "other.yaml": "image: busybox\n",
    });
    const environment = { RUNNER_TEMP: folder };
    const inputs = { mode: "delete", "nothing-deployed": "false" };
    const useless = await prune(
      stock,
      { ...inputs, records: "other.yaml" },
      { runner, environment },
    );
    expect(useless.outputs.cause).toContain("other.yaml holds neither a digest nor a tag");
    const records = "images.json deploy.yaml";
    const step = await prune(stock, { ...inputs, records }, { runner, environment });
    expect(step.outputs.verdict).toBe("passed");
    expect(await stock.tags()).toEqual(["a", "b"]);
  });

  it("deletes nothing that is tagged while it looks", async () => {
    const stock = new Stock(registry);
    const old = await stock.image({ tags: ["old"] });
    await stock.image({ tags: ["older"] });
    let looks = 0;
    await using between = await FaultRegistry.start(stock.host, ({ url }) => {
      if (!url.includes("/tags/list")) return undefined;
      looks += 1;
      // The answer waits until somebody has released the old one anew.
      if (looks === 2) void stock.tag(old, "v9");
      return looks === 2 ? { late: 300 } : undefined;
    });
    const step = await prune({ name: `${between.host}/${stock.path}` }, { mode: "delete" });
    expect(step.outputs.verdict).toBe("passed");
    expect(await stock.tags()).toEqual(["old", "v9"]);
  });

  it("cancelled, ends the image that it is at, and the next run deletes the rest", async () => {
    const stock = new Stock(registry);
    for (const tag of ["a", "b", "c"]) {
      await stock.image({ tags: [tag], platforms: ["linux/amd64", "linux/arm64"] });
    }
    let cancel = () => {};
    await using between = await FaultRegistry.start(stock.host, ({ method }, before) => {
      const deletions = before.filter((one) => one.method === "DELETE").length;
      if (method === "DELETE" && deletions === 1) cancel();
      return method === "DELETE" ? { late: 150 } : undefined;
    });
    const name = `${between.host}/${stock.path}`;
    const running = await startStep(bundleOf("prune-images"), {
      inputs: { repositories: name, ...bare, mode: "delete" },
      environment: { RUNNER_TEMP: folder },
    });
    cancel = () => running.child.kill("SIGINT");
    const step = await running.finished;
    expect(step.outputs).toMatchObject({ verdict: "cancelled" });
    expect(step.outputs.cause).toContain("2 images were left to be deleted");
    expect(deletedIn(step)).toHaveLength(1);
    expect(await stock.tags()).toHaveLength(2);
    expect(between.asked.filter(({ method }) => method === "DELETE")).toHaveLength(4);
    const next = await prune(stock, { mode: "delete" });
    expect(deletedIn(next)).toHaveLength(2);
    expect(await stock.tags()).toEqual([]);
  });

  it("goes on where one image is refused, and tells of it", async () => {
    const stock = new Stock(registry);
    const guarded = await stock.image({ tags: ["guarded"] });
    await stock.image({ tags: ["free"] });
    const body = JSON.stringify({ errors: [{ code: "DENIED", message: "retention lock" }] });
    await using between = await FaultRegistry.start(stock.host, ({ method, url }) =>
      method === "DELETE" && url.includes(guarded.digest) ? { status: 409, body } : undefined,
    );
    const step = await prune({ name: `${between.host}/${stock.path}` }, { mode: "delete" });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toContain("DENIED: retention lock");
    expect(await stock.tags()).toEqual(["guarded"]);
  });

  it("takes the tags off first where the registry wants that", async () => {
    const stock = new Stock(registry);
    await stock.image({ tags: ["a", "b"] });
    const body = JSON.stringify({ errors: [{ code: "GOOGLE_MANIFEST_DANGLING_TAG" }] });
    await using between = await FaultRegistry.start(stock.host, ({ method, url }, before) => {
      if (method !== "DELETE") return undefined;
      if (!url.includes("sha256:")) return { status: 202 };
      const untagged = before.filter((one) =>
        /DELETE.*manifests\/[ab]$/.test(`${one.method} ${one.url}`),
      );
      return untagged.length === 2 ? undefined : { status: 400, body };
    });
    const step = await prune({ name: `${between.host}/${stock.path}` }, { mode: "delete" });
    expect(step.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(await stock.tags()).toEqual([]);
  });

  it("says what to do where the registry deletes nothing", async () => {
    const stock = new Stock(registry);
    await stock.image({ tags: ["a"] });
    await stock.image({ tags: ["b"] });
    await using between = await FaultRegistry.start(stock.host, ({ method }) =>
      method === "DELETE" ? { status: 405 } : undefined,
    );
    const step = await prune({ name: `${between.host}/${stock.path}` }, { mode: "delete" });
    expect(step.outputs.verdict).toBe("failed");
    expect(between.asked.filter(({ method }) => method === "DELETE")).toHaveLength(1);
    expect(step.stdout).toContain("REGISTRY_STORAGE_DELETE_ENABLED=true");
    expect(await stock.tags()).toEqual(["a", "b"]);
  });

  it("fails where the registry goes on having what it deleted, or loses what was kept", async () => {
    const stock = new Stock(registry);
    const kept = await stock.image({ tags: ["kept"] });
    await stock.image({ tags: ["old"] });
    const layer =
      (JSON.parse(kept.text) as { layers: { digest: string }[] }).layers[0]?.digest ?? "";
    await using liar = await FaultRegistry.start(stock.host, ({ method }) =>
      method === "DELETE" ? { status: 202 } : undefined,
    );
    const inputs = { mode: "delete", "keep-tags": "kept" };
    const lied = await prune({ name: `${liar.host}/${stock.path}` }, inputs);
    expect(lied.outputs.cause).toMatch(/ old\.$/);
    expect(lied.stdout).toContain("The registry still has what it said it deleted");
    await using loser = await FaultRegistry.start(stock.host, ({ method, url }) =>
      method === "HEAD" && url.includes(layer) ? { status: 404 } : undefined,
    );
    const lost = await prune({ name: `${loser.host}/${stock.path}` }, inputs);
    expect(lost.outputs.cause).toContain(`lacks ${layer}`);
  });

  it("refuses what is not clear, and touches nothing", async () => {
    const stock = new Stock(registry);
    await stock.image({ tags: ["a"] });
    const blind = await prune(stock, { mode: "delete", "nothing-deployed": "false" });
    const wrong = await prune(stock, {
      ...{ repositories: `${stock.name}:v1`, "keep-younger-than": "30", "keep-tags": "a,b c[d]" },
      ...{ "keep-last": "-1", mode: "purge", contexts: "prod" },
    });
    const missing = await prune({ name: "" }, { repositories: "" });
    const unknown = await prune({ name: `${stock.name}-none` }, { mode: "delete" });
    expect(unknown.summary).toContain("lists nothing: is that its name?");
    const tagged = await prune(stock, { repositories: `${stock.name}:v1` });
    const named = { [stock.name]: "ghcr.io/owner/web" };
    const { said, kept } = snapshot("prune-images", failureOf(blind), named);
    expect(said).toBe(kept);
    expect(failureOf(wrong)).toMatch(/keep-younger-than.*not an age/);
    expect(failureOf(wrong)).toMatch(/keep-tags.*can match no tag/);
    expect(failureOf(wrong)).toMatch(/keep-last/);
    expect(failureOf(missing)).toContain("names a repository");
    expect(failureOf(tagged)).toContain("without tag or digest");
    expect(await stock.tags()).toEqual(["a"]);
  });
});
