import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { type Answer, Internet, type Site } from "../../internet/index.ts";
import { bundleOf, runStep, type Step } from "../../runner/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { pairOf, registrySite } from "../sign-in/github-sites.ts";
import { Moto } from "../sign-in/moto.ts";
import { Stock } from "./stock.ts";

jest.setTimeout(120_000);

const TOKEN = "ghs_pruner0123456789";
const ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const DAY = 86_400_000;

let registry: string;
let folder: string;
let moto: Moto;

beforeAll(async () => {
  registry = (await resolveEndpoints(["registry"])).registry;
  folder = mkdtempSync(join(tmpdir(), "prune-clouds-"));
  moto = await Moto.start();
}, 180_000);
afterAll(async () => {
  await moto?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const bare = { "keep-last": "0", "keep-younger-than": "0d", "keep-tags": "none" };

function prune(
  internet: Internet,
  inputs: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<Step> {
  return runStep(bundleOf("prune-images"), {
    inputs: { ...bare, ...inputs },
    environment: { RUNNER_TEMP: folder, ...internet.environment, ...environment },
  });
}

/** A version of a package, which is a manifest. */
interface Version {
  readonly id: number;
  readonly name: string;
  readonly created_at: string;
  readonly metadata: {
    readonly package_type: string;
    readonly container: { readonly tags: string[] };
  };
}

/** GitHub with one organization, whose one package is a repository of the bed's registry. */
class FakeGitHub {
  readonly stock: Stock;
  readonly deployments: object[] = [];
  versions: Version[] = [];
  mayDelete = true;

  constructor(stock: Stock) {
    this.stock = stock;
  }

  add(digest: string, tags: string[], age: number): void {
    const created_at = new Date(Date.now() - age * DAY).toISOString();
    const metadata = { package_type: "container", container: { tags } };
    this.versions.push({ id: 1_000 + this.versions.length, name: digest, created_at, metadata });
  }

  get sites(): Readonly<Record<string, Site>> {
    const signIn = registrySite("ghcr.io", (_, password) => password === TOKEN);
    return {
      "api.github.com": (request) => this.#api(request),
      "ghcr.io": (request) => {
        if (request.method === "DELETE") {
          return { status: 405, body: { errors: [{ code: "UNSUPPORTED" }] } };
        }
        const bearer = /^Bearer for-repository:/.test(request.headers.authorization ?? "");
        return bearer ? `http://${this.stock.host}` : signIn(request);
      },
    };
  }

  async #api({ method, url, headers }: Parameters<Site>[0]): Promise<Answer> {
    if (headers.authorization !== `Bearer ${TOKEN}`) {
      return { status: 401, body: { message: "Bad credentials" } };
    }
    const [owner, ...rest] = this.stock.path.split("/");
    const path = `/orgs/${owner}/packages/container/${encodeURIComponent(rest.join("/"))}/versions`;
    if (method === "GET" && url.pathname === `/users/${owner}`) {
      return { status: 200, body: { login: owner, type: "Organization" } };
    }
    if (method === "GET" && url.pathname === path) return this.#page(url);
    if (method === "DELETE" && url.pathname.startsWith(`${path}/`)) {
      return this.#delete(Number(url.pathname.slice(path.length + 1)));
    }
    if (method === "GET" && url.pathname === "/repos/owner/shop/deployments") {
      const named = url.searchParams.get("environment");
      const found = this.deployments.filter(
        (one) => "environment" in one && one.environment === named,
      );
      return { status: 200, body: found };
    }
    const id = /^\/repos\/owner\/shop\/deployments\/(\d+)\/statuses$/.exec(url.pathname)?.[1];
    if (method === "GET" && id !== undefined) {
      const failed = [{ state: "failure" }, { state: "in_progress" }];
      const good = [{ state: "inactive" }, { state: "success" }, { state: "in_progress" }];
      return { status: 200, body: Number(id) === 10 ? failed : good };
    }
    return { status: 404, body: { message: "Not Found" } };
  }

  /** Two at a time, whatever is asked for, so that there is more than one page. */
  #page(url: URL): Answer {
    const page = Number(url.searchParams.get("page") ?? "1");
    const body = this.versions.slice((page - 1) * 2, page * 2);
    const next = new URL(url);
    next.searchParams.set("page", `${page + 1}`);
    const more = this.versions.length > page * 2;
    return { status: 200, body, ...(more && { headers: { link: `<${next.href}>; rel="next"` } }) };
  }

  async #delete(id: number): Promise<Answer> {
    if (!this.mayDelete) {
      return { status: 403, body: { message: "Resource not accessible by integration" } };
    }
    const version = this.versions.find((one) => one.id === id);
    if (version === undefined) return { status: 404, body: { message: "Not Found" } };
    this.versions = this.versions.filter((one) => one !== version);
    await this.stock.remove(version.name);
    return { status: 204 };
  }
}

async function gitHub(): Promise<FakeGitHub> {
  const name = `owner-${Math.random().toString(36).slice(2, 8)}/shop/web`;
  return new FakeGitHub(new Stock(registry.split("/")[0] ?? "", name));
}

describe("prune-images on GitHub's registry", () => {
  it("deletes versions by GitHub's API, the untagged ones too, and goes by the time they came", async () => {
    const fake = await gitHub();
    const { stock } = fake;
    const old = await stock.image({ tags: ["old"], platforms: ["linux/amd64"], age: 1 });
    const parts = (JSON.parse(old.text) as { manifests: { digest: string }[] }).manifests;
    const young = await stock.image({ tags: ["young"], age: 900 });
    const loose = await stock.image({ age: 1 });
    fake.add(old.digest, ["old"], 100);
    for (const { digest } of parts) fake.add(digest, [], 100);
    fake.add(young.digest, ["young"], 2);
    fake.add(loose.digest, [], 100);
    await using internet = await Internet.start(fake.sites);
    const inputs = {
      ...{ repositories: `ghcr.io/${stock.path}`, token: TOKEN, "nothing-deployed": "true" },
      "keep-younger-than": "30d",
    };
    const step = await prune(internet, { ...inputs, mode: "delete" });
    expect(step.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(step.summary).toContain("the registry");
    expect(fake.versions.map((version) => version.name)).toEqual([young.digest]);
    expect(await stock.has(young.digest)).toBe(true);
    for (const digest of [old.digest, loose.digest, ...parts.map((one) => one.digest)]) {
      expect(await stock.has(digest)).toBe(false);
    }
    expect(internet.strangers).toEqual([]);
  });

  it("keeps the last deployments to an environment by their records, and deletes nothing where they cannot be read", async () => {
    const fake = await gitHub();
    const { stock } = fake;
    const puts = await Promise.all(["a", "b", "c"].map((tag) => stock.image({ tags: [tag] })));
    for (const [at, put] of puts.entries()) fake.add(put.digest, ["abc"[at] ?? ""], 50);
    const payload = (digest: string | undefined) => ({ images: { web: { digest } } });
    fake.deployments.push(
      // Failed, and counts for nothing.
      { id: 10, environment: "production", payload: payload(puts[0]?.digest) },
      { id: 9, environment: "production", payload: JSON.stringify(payload(puts[0]?.digest)) },
      { id: 8, environment: "production", payload: payload(puts[1]?.digest) },
      { id: 7, environment: "production", payload: payload(puts[2]?.digest) },
      { id: 6, environment: "staging", payload: "" },
    );
    await using internet = await Internet.start(fake.sites);
    const inputs = {
      ...{ repositories: `ghcr.io/${stock.path}`, token: TOKEN, repository: "owner/shop" },
      ...{ mode: "delete", "keep-deployments": "2" },
    };
    const unnamed = await prune(internet, { ...inputs, environments: "production staging" });
    expect(unnamed.outputs.cause).toContain("1 deployments to staging were read, and none names");
    const hidden = await prune(internet, {
      ...inputs,
      ...{ environments: "production", repository: "owner/other" },
    });
    expect(hidden.outputs.cause).toContain("GitHub's API answered 404 for owner/other");
    fake.mayDelete = false;
    const denied = await prune(internet, { ...inputs, environments: "production" });
    expect(denied.outputs.cause).toContain("403: Resource not accessible by integration");
    expect(denied.summary).toContain("packages: write");
    expect(await stock.tags()).toEqual(["a", "b", "c"]);
    fake.mayDelete = true;
    const step = await prune(internet, { ...inputs, environments: "production" });
    expect(step.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(await stock.tags()).toEqual(["a", "b"]);
  });
});

describe("prune-images on Amazon's registry", () => {
  it("deletes by ECR's API, and goes by the time of the push", async () => {
    const stock = new Stock(registry.split("/")[0] ?? "");
    const [old, kept] = [
      await stock.image({ tags: ["old"], age: 1 }),
      await stock.image({ tags: ["1.0.0"] }),
    ];
    const ecr = async (action: string, body: object) => {
      const answer = await fetch(moto.origin, {
        method: "POST",
        headers: {
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${action}`,
          authorization: "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/ecr/aws4_request",
        },
        body: JSON.stringify({ repositoryName: stock.path, ...body }),
      });
      return (await answer.json()) as Record<string, unknown>;
    };
    await ecr("CreateRepository", {});
    for (const { text, mediaType, digest } of [old, kept]) {
      const imageTag = digest === old.digest ? "old" : "1.0.0";
      const image = { imageManifest: text, imageManifestMediaType: mediaType, imageTag };
      await ecr("PutImage", { ...image, imageDigest: digest });
    }
    await using internet = await Internet.start({
      "api.ecr.eu-west-1.amazonaws.com": async ({ headers, body }) => {
        if (/\.BatchDeleteImage$/.test(headers["x-amz-target"] ?? "")) {
          const { imageIds } = JSON.parse(body) as { imageIds: { imageDigest: string }[] };
          for (const { imageDigest } of imageIds) await stock.remove(imageDigest);
        }
        return moto.origin;
      },
      [ECR]: ({ method, headers }) => {
        const [username] = pairOf(headers.authorization ?? "");
        if (method === "DELETE") return { status: 405 };
        if (username === "AWS") return `http://${stock.host}`;
        return { status: 401, headers: { "www-authenticate": 'Basic realm="ECR"' } };
      },
    });
    const keys = { AWS_ACCESS_KEY_ID: "AKIA0123456789ABCDEF", AWS_SECRET_ACCESS_KEY: "secret0123" };
    const inputs = {
      ...{ registry: ECR, repositories: stock.path.includes("/") ? "" : stock.path },
      ...{ mode: "delete", "nothing-deployed": "true", "keep-tags": "semver" },
    };
    const young = await prune(internet, { ...inputs, "keep-younger-than": "1h" }, keys);
    expect(young.outputs).toMatchObject({ verdict: "passed", deleted: "[]" });
    const step = await prune(internet, inputs, keys);
    expect(step.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(await stock.tags()).toEqual(["1.0.0"]);
    const { imageDetails } = await ecr("DescribeImages", {});
    expect(imageDetails).toMatchObject([{ imageDigest: kept.digest }]);
    expect(internet.strangers).toEqual([]);
  });
});
