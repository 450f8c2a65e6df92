import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep, type Step } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { FaultRegistry } from "../registry/fault-registry.ts";
import { builderOf } from "./builder.ts";

const source = bundleOf("build-push");

jest.setTimeout(90_000);

const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
].join(", ");

let bed: Endpoints;
let environment: Record<string, string>;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "busybox-image"]);
  environment = builderOf(bed);
}, 30 * 60_000);

/** A registry path that nobody used before, and two services that are built below it. */
async function harbour() {
  const path = `reuse-${randomBytes(4).toString("hex")}`;
  const registry = `${bed.registry}/${path}`;
  const base = await copyOf("testbed/busybox", bed.busyboxImage, `${path}/base`);
  const runner = await Runner.create({
    "web/Dockerfile": `FROM ${base.name}\nARG VERSION=1\nCOPY src /src\n`,
    "web/src/main": "one",
    "web/.dockerignore": "notes\n",
    "api/Dockerfile": "FROM scratch\nCOPY main /main\n",
    "api/main": "api",
  });
  const inputs = { registry, services: "[{name: web, context: web}, {name: api, context: api}]" };
  const ship = (more: Record<string, string> = {}, host = "") =>
    runStep(source, {
      runner,
      inputs: {
        ...inputs,
        ...(host === "" ? {} : { registry: `${host}/${path}` }),
        tags: "main",
        ...more,
      },
      environment,
    });
  const manifest = async <T>(service: string, digest: string): Promise<T> => {
    const url = `http://${bed.registry}/v2/${path}/${service}/manifests/${digest}`;
    return (await (await fetch(url, { headers: { accept: MANIFESTS } })).json()) as T;
  };
  return {
    path,
    manifest,
    registry,
    base,
    runner,
    ship,
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  };
}

/** A tag of our own to an image of the bed, so that a test may move it. */
async function copyOf(from: string, image: string, to: string) {
  const reference = image.slice(image.lastIndexOf(":") + 1);
  const answer = await fetch(`http://${bed.registry}/v2/${from}/manifests/${reference}`, {
    headers: { accept: MANIFESTS },
  });
  const text = await answer.text();
  const { config, layers } = JSON.parse(text);
  for (const { digest } of [config, ...layers]) {
    await fetch(`http://${bed.registry}/v2/${to}/blobs/uploads/?mount=${digest}&from=${from}`, {
      method: "POST",
    });
  }
  const type = answer.headers.get("content-type") ?? "";
  const tag = (manifest: string) =>
    fetch(`http://${bed.registry}/v2/${to}/manifests/1`, {
      method: "PUT",
      headers: { "content-type": type },
      body: manifest,
    });
  await tag(text);
  /** Another manifest of the same layers under the same tag. */
  const move = () => tag(JSON.stringify({ ...JSON.parse(text), annotations: { moved: "true" } }));
  return { name: `${bed.registry}/${to}:1`, move };
}

function statuses(step: Step): Record<string, string> {
  const images: Record<string, { status: string }> = JSON.parse(step.outputs.images || "{}");
  return Object.fromEntries(Object.entries(images).map(([name, { status }]) => [name, status]));
}

const why = (step: Step, service: string) =>
  new RegExp(`^${service}: (?:building|reusing|keeping): (.*)$`, "m").exec(step.stdout)?.[1];

async function digestAt(registry: string, service: string, tag: string): Promise<string | null> {
  const [host, path] = registry.split("/");
  const url = `http://${host}/v2/${path}/${service}/manifests/${tag}`;
  const answer = await fetch(url, { method: "HEAD", headers: { accept: MANIFESTS } });
  return answer.headers.get("docker-content-digest");
}

describe("a service of which nothing changed", () => {
  it("is proven whole and tagged again, and nothing is sent", async () => {
    await using place = await harbour();
    const first = await place.ship();
    expect(statuses(first)).toEqual({ web: "built", api: "built" });
    await using meter = await FaultRegistry.start(bed.registry);
    const second = await place.ship({ tags: "main v2" }, meter.host);
    expect(statuses(second)).toEqual({ web: "reused", api: "reused" });
    expect(JSON.parse(second.outputs.digests ?? "")).toEqual(
      JSON.parse(first.outputs.digests ?? ""),
    );
    expect(JSON.parse(second.outputs.changed ?? "")).toEqual([]);
    expect(JSON.parse(second.outputs.matrix ?? "")).toEqual({ include: [] });
    expect(meter.asked.filter(({ url }) => url.includes("/blobs/uploads"))).toEqual([]);
    expect(meter.asked.filter(({ ours }) => !ours)).toEqual([]);
    const { web } = JSON.parse(first.outputs.digests ?? "");
    expect(await digestAt(place.registry, "web", "v2")).toBe(web);
    expect(second.summary).toContain("2 services unchanged and reused");
  });

  it("has the same digest when it is built again all the same", async () => {
    await using place = await harbour();
    const first = await place.ship();
    const again = await place.ship({ rebuild: "always" });
    expect(statuses(again)).toEqual({ web: "built", api: "built" });
    expect(again.outputs.digests).toBe(first.outputs.digests);
  });

  it("is built again when the registry lost a layer of it", async () => {
    await using place = await harbour();
    const first = await place.ship();
    const { web } = JSON.parse(first.outputs.digests ?? "");
    const index = await place.manifest<{ manifests: { digest: string }[] }>("web", web);
    const child = index.manifests[0]?.digest ?? "";
    const image = await place.manifest<{ layers: { digest: string }[] }>("web", child);
    const lost = image.layers.at(-1)?.digest;
    let built = false;
    await using faulty = await FaultRegistry.start(bed.registry, ({ url, method, ours }) => {
      // BuildKit pushes it anew; from then on it is there.
      if (!ours && method !== "GET" && method !== "HEAD") built = true;
      const isLost = !built && url.endsWith(`/web/blobs/${lost}`);
      return isLost ? { status: 404 } : undefined;
    });
    const second = await place.ship({}, faulty.host);
    expect(statuses(second)).toEqual({ web: "built", api: "reused" });
    expect(why(second, "web")).toMatch(/not whole: .*no layer or configuration sha256:/);
  });
});

describe("what changed is said", () => {
  it.each<[string, Record<string, string>, Record<string, string>, RegExp | undefined]>([
    ["a file", { "web/src/main": "two" }, {}, /src/],
    ["the Dockerfile", { "web/Dockerfile": "FROM scratch\nCOPY src /src\n" }, {}, /Dockerfile/],
    ["a build argument", {}, { "build-args": "VERSION=2" }, /VERSION/],
    ["a label", {}, { labels: "team=deck" }, /team/],
    [
      "what the build cannot see",
      { "web/notes": "to myself", README: "of the repository" },
      {},
      undefined,
    ],
  ])("%s", async (_, files, inputs, reason) => {
    await using place = await harbour();
    await place.ship();
    for (const [file, text] of Object.entries(files)) await place.runner.write(file, text);
    const second = await place.ship(inputs);
    expect(second.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(statuses(second).web).toBe(reason === undefined ? "reused" : "built");
    if (reason !== undefined) expect(why(second, "web")).toMatch(reason);
  });

  it("a base image that moved, to which the build is pinned", async () => {
    await using place = await harbour();
    await place.ship();
    await place.base.move();
    const second = await place.ship();
    expect(statuses(second)).toEqual({ web: "built", api: "reused" });
    expect(why(second, "web")).toMatch(/base:1 moved from sha256:\w+.* to sha256:\w+/);
  });
});

describe("files that change while they are built", () => {
  it("are built again by the next run", async () => {
    await using place = await harbour();
    await place.runner.write(
      "web/Dockerfile",
      `FROM ${place.base.name}\nCOPY src /src\nRUN echo copied for ${place.path}; sleep 2\n`,
    );
    const first = await runStep(source, {
      runner: place.runner,
      inputs: { registry: place.registry, name: "web", context: "web", tags: "main" },
      environment,
      onLine: (line) => {
        if (line.includes("| copied")) void place.runner.write("web/src/main", "too late");
      },
    });
    expect(first.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(first.stdout).toMatch(/^::warning title=web%3A its files changed::/m);
    const { key } = JSON.parse(first.outputs.images ?? "").web;
    expect(key).toBe("");
    const second = await place.ship();
    expect(statuses(second).web).toBe("built");
  });
});

describe("rebuild: missing", () => {
  it("leaves alone what its tags lead to, whatever changed", async () => {
    await using place = await harbour();
    const first = await place.ship();
    await place.runner.write("web/src/main", "changed");
    const second = await place.ship({ rebuild: "missing" });
    expect(statuses(second)).toEqual({ web: "reused", api: "reused" });
    expect(why(second, "web")).toBe("its tags are there already");
    expect(second.outputs.digests).toBe(first.outputs.digests);
    const third = await place.ship({ rebuild: "missing", tags: "main next" });
    expect(statuses(third)).toEqual({ web: "built", api: "reused" });
  });
});

describe("a plan", () => {
  it("tells what would be built and why, and touches nothing", async () => {
    await using place = await harbour();
    const empty = await place.ship({ mode: "plan" });
    expect(empty.outputs).toMatchObject({ verdict: "passed", images: "" });
    expect(JSON.parse(empty.outputs.changed ?? "")).toEqual(["web", "api"]);
    expect(await digestAt(place.registry, "web", "main")).toBeNull();
    await place.ship();
    await place.runner.write("web/src/main", "changed");
    await using meter = await FaultRegistry.start(bed.registry);
    const plan = await place.ship({ mode: "plan" }, meter.host);
    expect(JSON.parse(plan.outputs.changed ?? "")).toEqual(["web"]);
    expect(JSON.parse(plan.outputs.matrix ?? "")).toEqual({ include: [{ service: "web" }] });
    expect(plan.stdout).toMatch(/^web: would be built: .*src/m);
    expect(plan.stdout).toMatch(/^api: would be reused: /m);
    expect(meter.asked.every(({ method }) => method === "GET" || method === "HEAD")).toBe(true);
    expect(plan.summary).toMatch(/^## ✅ A plan: 1 of 2 would be built; nothing was done/);
  });

  it("needs no credentials: what it may not ask, it says", async () => {
    await using place = await harbour();
    await using faulty = await FaultRegistry.start(bed.registry, ({ url }) =>
      url.includes("/web/") || url.includes("/api/") ? { status: 401 } : undefined,
    );
    const plan = await place.ship({ mode: "plan" }, faulty.host);
    expect(plan.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(plan.stdout).toMatch(/^web: would be built: not known whether it changed: .*401/m);
  });
});
