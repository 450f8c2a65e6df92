import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, rm, symlink } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import {
  type ManifestSource,
  parseSource,
  readManifests,
} from "../../../shared/manifests/index.ts";
import { Runner } from "../../runner/index.ts";
import { type Endpoints, resolveEndpoints } from "../../testbed/index.ts";
import { testWorld } from "../kubernetes/sandbox.ts";

jest.setTimeout(60_000);

const config = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

let runner: Runner;
let endpoints: Endpoints;
let server: Server;
let address: string;
const TEXT = config("fetched");
const SHA256 = createHash("sha256").update(TEXT).digest("hex");

beforeAll(async () => {
  endpoints = await resolveEndpoints(["kubernetes"]);
  runner = await Runner.create({
    "k8s/a.yaml": config("a"),
    "k8s/b.yml": config("b"),
    "k8s/c.json": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } }),
    "k8s/notes.txt": "no manifest",
    "k8s/below/d.yaml": config("d"),
    "base/kustomization.yaml": "resources: [x.yaml]\n",
    "base/x.yaml": config("x"),
    "overlay/kustomization.yml": "resources: [../base]\nnamePrefix: over-\n",
    "broken/kustomization.yaml": "resources: [nowhere.yaml]\n",
    "empty/notes.txt": "nothing",
    "große Manifeste/☂.yaml": config("umbrella"),
    "latin1.yaml": "",
  });
  const file = await runner.write("latin1.yaml", "");
  await import("node:fs/promises").then(({ writeFile }) =>
    writeFile(file, Buffer.from([0x61, 0x3a, 0xe4, 0x0a])),
  );
  server = createServer((request, response) => {
    if (request.url?.startsWith("/gone")) response.writeHead(404).end("nothing here");
    else if (request.url === "/moved") response.writeHead(302, { location: "/x.yaml" }).end();
    else response.end(TEXT);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server?.close();
  await runner?.[Symbol.asyncDispose]();
});

/** The names of what is read, and what the log tells. */
async function read(sources: readonly ManifestSource[], bin = endpoints.bin) {
  const { world, lines } = testWorld();
  const before = process.env.PATH;
  process.env.PATH = bin;
  try {
    const objects = await readManifests(sources, runner.workspace, world);
    return { names: objects.map(({ object }) => object.metadata.name), objects, lines };
  } finally {
    process.env.PATH = before;
  }
}

describe("manifests", () => {
  it.each([
    ["a file", ["k8s/a.yaml"], ["a"]],
    ["a folder, not those below it", ["k8s"], ["a", "b", "c"]],
    ["a glob", ["k8s/**/*.yaml"], ["a", "d"]],
    ["a glob of several endings", ["k8s/*.{yml,json}"], ["b", "c"]],
    ["a file that two sources name", ["k8s/a.yaml", "k8s/*.yaml"], ["a"]],
    ["a name with spaces and signs", ["große Manifeste/☂.yaml"], ["umbrella"]],
    ["a kustomization", ["overlay"], ["over-x"]],
  ])("come from %s", async (_, lines, names) => {
    const found = await read(lines.map(parseSource));
    expect(found.names).toEqual(names);
  });

  it("tell what built a kustomization, and which folders were not read", async () => {
    const { lines } = await read([parseSource("overlay"), parseSource("k8s")]);
    expect(lines).toEqual([
      "overlay is a kustomization: built by kubectl kustomize.",
      "Of k8s its own files are read, not those of k8s/below.",
    ]);
  });

  it("are built by kustomize itself where it is there", async () => {
    const bin = join(runner.folder, "bin");
    await mkdir(bin);
    const program = await runner.write(
      "../bin/kustomize",
      `#!/bin/sh\ntest "$1" = build || exit 9\nexec ${endpoints.bin}/kubectl kustomize "$2"\n`,
    );
    await chmod(program, 0o755);
    const { names, lines } = await read([parseSource("overlay")], `${bin}:/usr/bin:/bin`);
    expect(names).toEqual(["over-x"]);
    expect(lines[0]).toMatch(/built by kustomize build/);
  });

  it.each([
    ["k8s/d.yaml", /k8s\/d\.yaml does not exist; did you mean [abc]\.\w+\?/],
    ["nowhere/at/all", /nowhere\/at\/all does not exist\./],
    ["k8s/*.toml", /No file matches k8s\/\*\.toml/],
    ["empty", /There is no \.yaml, \.yml or \.json file in empty\./],
    ["base/*.yaml", /base\/\*\.yaml matches base\/kustomization\.yaml/],
    ["broken", /kubectl kustomize broken: .*nowhere\.yaml/],
    ["latin1.yaml", /latin1\.yaml: it is not UTF-8/],
  ])("that are not there are told: %s", async (line, cause) => {
    await expect(read([parseSource(line)])).rejects.toMatchObject({
      name: "UserError",
      cause: expect.stringMatching(cause),
    });
  });

  it("that nothing can build are told with what to install", async () => {
    const bin = join(runner.folder, "none");
    await mkdir(bin, { recursive: true });
    await expect(read([parseSource("overlay")], bin)).rejects.toMatchObject({
      cause: expect.stringMatching(/neither kustomize nor kubectl is installed/),
    });
  });

  it("behind links are found, and links to nothing are told", async () => {
    await symlink("a.yaml", join(runner.workspace, "k8s/link.yaml"));
    expect((await read([parseSource("k8s/link.yaml")])).names).toEqual(["a"]);
    await rm(join(runner.workspace, "k8s/link.yaml"));
    await symlink("nowhere.yaml", join(runner.workspace, "k8s/link.yaml"));
    await expect(read([parseSource("k8s/link.yaml")])).rejects.toMatchObject({ name: "UserError" });
    await rm(join(runner.workspace, "k8s/link.yaml"));
  });
});

describe("manifests from an address", () => {
  it.each(["/x.yaml", "/moved"])("are held to their checksum: %s", async (path) => {
    const { names, objects } = await read([parseSource(`${address}${path}#sha256=${SHA256}`)]);
    expect(names).toEqual(["fetched"]);
    expect(objects[0]?.origin).toBe(`${address}${path}, document 1, line 1`);
  });

  it.each([
    ["of other content", "/x.yaml?token=secret", /has the SHA-256 [0-9a-f]{64}, not 0{64}/],
    ["that are gone", "/gone.yaml?token=secret", /gone\.yaml: it answered 404/],
  ])("%s are refused, and a token is not told", async (_, path, cause) => {
    const source = parseSource(`${address}${path}#sha256=${"0".repeat(64)}`);
    const failure = await read([source]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "UserError", cause: expect.stringMatching(cause) });
    expect(String(failure)).not.toMatch(/secret/);
  });

  it("that nobody serves are told", async () => {
    const source = parseSource(`http://127.0.0.1:9/x.yaml#sha256=${SHA256}`);
    await expect(read([source])).rejects.toMatchObject({ title: "Manifests cannot be fetched" });
  });
});
