import { randomBytes } from "node:crypto";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep, type Step } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { builderOf } from "./builder.ts";

const source = bundleOf("build-push");
const example = join(import.meta.dirname, "..", "..", "..", "examples", "images");
const prefix = `sources-${randomBytes(4).toString("hex")}`;
const sha = "0123456789abcdef0123456789abcdef01234567";

const accept =
  "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";

jest.setTimeout(60_000);

let bed: Endpoints;
let environment: Record<string, string>;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "busybox-image"]);
  environment = {
    ...builderOf(bed),
    REGISTRY: `${bed.registry}/${prefix}`,
    BASE_IMAGE: bed.busyboxImage,
    VERSION: "v1",
  };
}, 30 * 60_000);

afterAll(async () => {
  for (const name of await repositories()) {
    for (const tag of await tagsOf(name)) {
      const digest = await digestAt(name, tag);
      await fetch(`http://${bed.registry}/v2/${name}/manifests/${digest}`, { method: "DELETE" });
    }
  }
});

async function repositories(): Promise<readonly string[]> {
  const answer = await fetch(`http://${bed.registry}/v2/_catalog?n=1000`);
  const found = ((await answer.json()) as { repositories: string[] }).repositories;
  return found.filter((name) => name.startsWith(prefix));
}

async function tagsOf(name: string): Promise<readonly string[]> {
  const answer = await fetch(`http://${bed.registry}/v2/${name}/tags/list`);
  return ((await answer.json()) as { tags: string[] | null }).tags ?? [];
}

interface Manifest {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests?: readonly { readonly digest: string }[];
  readonly layers?: readonly { readonly mediaType: string }[];
}

async function manifestAt(name: string, reference: string): Promise<Manifest> {
  const url = `http://${bed.registry}/v2/${name}/manifests/${reference}`;
  return (await (await fetch(url, { headers: { accept } })).json()) as Manifest;
}

/** The digest in the registry, asked without any of the action's code. */
async function digestAt(name: string, tag: string): Promise<string | null> {
  const url = `http://${bed.registry}/v2/${name}/manifests/${tag}`;
  return (await fetch(url, { method: "HEAD", headers: { accept } })).headers.get(
    "docker-content-digest",
  );
}

/** A workspace with the example in it. */
async function withExample(): Promise<Runner> {
  const runner = await Runner.create();
  await cp(example, runner.workspace, { recursive: true });
  return runner;
}

function ship(
  runner: Runner,
  inputs: Record<string, string>,
  more: Record<string, string> = {},
): Promise<Step> {
  return runStep(source, { runner, inputs, environment: { ...environment, ...more } });
}

const imagesOf = ({ outputs }: Step) =>
  JSON.parse(outputs.images || "{}") as Record<
    string,
    { repository: string; tags: string[]; digest: string }
  >;
const changedBy = ({ outputs }: Step) => JSON.parse(outputs.changed || "null") as unknown;
const FOUR = ["backend", "data-pipeline", "frontend", "ml-service"];

describe("a bake file", () => {
  it("says what is built; what is only linked to is built and not pushed; nothing is built twice", async () => {
    await using runner = await withExample();
    const first = await ship(runner, { "bake-file": "docker-bake.hcl" });
    expect(first.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(Object.keys(imagesOf(first))).toEqual(FOUR);
    for (const name of FOUR) {
      const { digest, tags } = imagesOf(first)[name] ?? {};
      expect(tags).toContain("v1");
      expect(await digestAt(`${prefix}/${name}`, "v1")).toBe(digest);
    }
    expect(await repositories()).not.toContain(`${prefix}/base`);

    const again = await ship(runner, { "bake-file": "docker-bake.hcl" });
    expect(imagesOf(again)).toMatchObject(
      Object.fromEntries(FOUR.map((name) => [name, { digest: imagesOf(first)[name]?.digest }])),
    );
    expect(changedBy(again)).toEqual([]);

    // A change of what they are built upon is a change of all of them.
    await runner.write("base/serve", "#!/bin/sh\nexec httpd -f -p 8080 -h /srv/www -v\n", 0o755);
    const based = await ship(runner, { "bake-file": "docker-bake.hcl", targets: "frontend" });
    expect(based.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(changedBy(based)).toEqual(["frontend"]);
    expect(imagesOf(based).frontend?.digest).not.toBe(imagesOf(first).frontend?.digest);
  });

  it("may name several repositories of one image, and patterns choose among targets", async () => {
    await using runner = await Runner.create({
      Dockerfile: "FROM scratch\nARG V\nLABEL v=$V\nCOPY Dockerfile /\n",
      "docker-bake.json": JSON.stringify({
        target: {
          "app-one": {
            args: { V: "$${one}" },
            tags: [`${bed.registry}/${prefix}/one:a`, `${bed.registry}/${prefix}/mirror/one:b`],
            labels: { shop: "yes" },
            annotations: ["index:shop=yes"],
            output: ["type=image,compression=gzip"],
          },
          "app-two": { tags: [`${bed.registry}/${prefix}/two:a`] },
          other: { dockerfile: "nowhere" },
        },
      }),
    });
    const run = await ship(runner, { "bake-file": "docker-bake.json", targets: "app-*" });
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(Object.keys(imagesOf(run))).toEqual(["app-one", "app-two"]);
    const { digest } = imagesOf(run)["app-one"] ?? {};
    expect(await digestAt(`${prefix}/one`, "a")).toBe(digest);
    expect(await digestAt(`${prefix}/mirror/one`, "b")).toBe(digest);
  });

  it("has all that it says of a build carried out", async () => {
    await using runner = await Runner.create({
      Dockerfile: [
        `FROM ${bed.busyboxImage} AS build`,
        "RUN --mount=type=secret,id=f,required=true --mount=type=ssh,id=default grep -q secret /run/secrets/f && test -S $SSH_AUTH_SOCK",
        "RUN grep -q '10.1.2.3.*db' /etc/hosts",
        "RUN df -k /dev/shm | tail -1 | awk '{exit $2==131072?0:1}'",
        "RUN test $(ulimit -n) = 1234",
        "COPY --from=docs . /docs",
        "COPY --from=dep /base /base",
        "FROM build AS final",
        "ARG A",
        "RUN test \"$A\" = 'x\u0024{y}%{z}' && test -f /docs/page && test -f /base",
      ].join("\n"),
      "base/Dockerfile": `FROM ${bed.busyboxImage}\nRUN echo 1 > /base\n`,
      "docs/page": "x",
      "secret.txt": "a very secret text",
      ".dockerignore": "secret.txt",
      "docker-bake.hcl": `target "default" {
  target = "final"
  contexts = { docs = "docs", dep = "target:Dep_Two" }
  secret = ["type=file,id=f,src=secret.txt"]
  ssh = ["default"]
  extra-hosts = { db = "10.1.2.3" }
  shm-size = "128m"
  ulimits = ["nofile=1234:1234"]
  no-cache-filter = ["final"]
  args = { A = "x$\u0024{y}%%{z}" }
  labels = { "com.example/x" = "$\u0024{y}" }
  annotations = ["index:org.example.i=1", "manifest:org.example.m=2"]
  attest = ["type=provenance,mode=max", "type=sbom,disabled=true"]
  output = ["type=registry,compression=zstd,force-compression=true"]
  tags = ["${bed.registry}/${prefix}/kitchen:1"]
  platforms = ["linux/amd64"]
}
target "Dep_Two" {
  context = "base"
  platforms = ["linux/amd64", "linux/arm64"]
}
`,
    });
    // Nobody signs anything here: any socket is an agent.
    const socket = join(runner.folder, "agent");
    const agent = createServer().listen(socket);
    try {
      const run = await ship(runner, { "bake-file": "docker-bake.hcl" }, { SSH_AUTH_SOCK: socket });
      expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    } finally {
      agent.close();
    }
    const index = await manifestAt(`${prefix}/kitchen`, "1");
    expect(index.annotations).toMatchObject({ "org.example.i": "1" });
    const image = await manifestAt(`${prefix}/kitchen`, index.manifests?.[0]?.digest ?? "");
    expect(image.annotations).toMatchObject({ "org.example.m": "2" });
    const packed = new Set(image.layers?.map(({ mediaType }) => mediaType));
    expect([...packed]).toEqual(["application/vnd.oci.image.layer.v1.tar+zstd"]);
  });

  it("may be made of several files, of which the later adds to the earlier", async () => {
    await using runner = await Runner.create({
      "a.hcl": 'target "api" {\n  context = "api"\n  tags = ["api:a"]\n}\n',
      "b.hcl": 'target "api" {\n  tags = ["api:b"]\n}\ntarget "web" {\n  context = "api"\n}\n',
      "api/Dockerfile": "FROM scratch\nCOPY Dockerfile /\n",
    });
    const inputs = { "bake-file": "a.hcl\nb.hcl", targets: "api web", tags: "t" };
    const run = await ship(runner, { ...inputs, registry: environment.REGISTRY ?? "" });
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(imagesOf(run)).toMatchObject({ api: { tags: ["t"] }, web: { tags: ["t"] } });
  });
});

describe("a compose file", () => {
  it("says what is built, with the secrets and variables that it names", async () => {
    await using runner = await Runner.create({
      "compose.yaml": [
        "services:",
        "  db: {image: 'postgres:17'}",
        "  api:",
        "    image: $REGISTRY/composed:$VERSION",
        "    platform: linux/amd64",
        "    build:",
        "      context: api",
        "      args: [GREETING]",
        "      secrets: [key]",
        "secrets: {key: {environment: THE_KEY}}",
      ].join("\n"),
      "api/Dockerfile": [
        `FROM ${bed.busyboxImage}`,
        "ARG GREETING",
        'RUN --mount=type=secret,id=key,required=true test "$GREETING" = "two words" && grep -q open$ /run/secrets/key',
      ].join("\n"),
    });
    const values = { GREETING: "two words", THE_KEY: "sesame-open" };
    const run = await ship(runner, { "bake-file": "compose.yaml" }, values);
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(imagesOf(run)).toMatchObject({ api: { tags: ["v1"], platforms: ["linux/amd64"] } });
    expect(run.stdout).toContain("nothing to build for db, without a build section");
    expect(run.stdout.replace(/^::add-mask::.*$/gm, "")).not.toContain("sesame-open");
  });

  it("of the example makes the same images as its bake file", async () => {
    await using runner = await withExample();
    const version = { VERSION: "same" };
    const baked = await ship(runner, { "bake-file": "docker-bake.hcl" }, version);
    const composed = await ship(
      runner,
      { "bake-file": "compose.yaml", targets: FOUR.join() },
      version,
    );
    expect(composed.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(composed.outputs.digests).toBe(baked.outputs.digests);
    expect(changedBy(composed)).toEqual([]);
  });
});

describe("folders", () => {
  it("with a Dockerfile are services, called like them", async () => {
    await using runner = await withExample();
    await runner.write("services/README.md", "no service");
    await runner.write("services/empty/README.md", "no service either");
    const inputs = {
      registry: environment.REGISTRY ?? "",
      folders: "services/*",
      "build-args": `BASE=${bed.busyboxImage}`,
      tags: "folders",
    };
    const run = await ship(runner, inputs);
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(Object.keys(imagesOf(run))).toEqual(FOUR);
  });

  it("may be built from the root", async () => {
    await using runner = await Runner.create({
      "shared.txt": "x",
      "docker/api.Dockerfile": "FROM scratch\nCOPY shared.txt /\n",
      "docker/web.Dockerfile": "FROM scratch\nCOPY docker/web.Dockerfile /\n",
    });
    const inputs = {
      registry: environment.REGISTRY ?? "",
      folders: "docker/*.Dockerfile",
      "folders-context": "root",
      tags: "root",
    };
    const run = await ship(runner, inputs);
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(Object.keys(imagesOf(run))).toEqual(["api", "web"]);
  });
});

describe("services of a list", () => {
  it("may be built on each other, with whole names, extra tags and further repositories", async () => {
    await using runner = await Runner.create({
      "base/Dockerfile": `FROM ${bed.busyboxImage}\nRUN echo base > /base\n`,
      "api/Dockerfile":
        "FROM base\nCOPY --from=docs . /docs\nRUN grep base /base && test -f /docs/page\n",
      "docs/page": "x",
    });
    const at = `${bed.registry}/${prefix}`;
    const services = JSON.stringify([
      { name: "stack/base", context: "base" },
      {
        name: "api",
        image: `${at}/whole/name`,
        mirrors: [`${at}/further`],
        context: "api",
        contexts: { base: "target:stack/base", docs: "docs" },
        "extra-tags": ["more"],
        "extra-hosts": { db: "10.0.0.1" },
        "no-cache-filter": ["base"],
        provenance: "off",
      },
    ]);
    const run = await ship(runner, { registry: at, services });
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    const { digest, tags } = imagesOf(run).api ?? {};
    expect(tags).toEqual([sha, "more"]);
    expect(await digestAt(`${prefix}/whole/name`, "more")).toBe(digest);
    expect(await digestAt(`${prefix}/further`, sha)).toBe(digest);
    expect(await digestAt(`${prefix}/stack/base`, sha)).toMatch(/^sha256:/);
  });
});

describe("what cannot be built is told before anything is done", () => {
  const bake = (text: string) => ({ "docker-bake.hcl": text });
  const ok = { Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" };

  it.each<[string, Record<string, string>, Record<string, string>, RegExp[], string?]>([
    [
      "an unknown target",
      bake('target "api" {\n}\n'),
      { targets: "apo,web" },
      [
        /^There is no target "apo" in docker-bake\.hcl; did you mean api\?$/,
        /^There is no target "web"/,
      ],
    ],
    [
      "no default",
      bake('target "api" {\n}\n'),
      {},
      [/targets is left out, and docker-bake\.hcl has neither a group nor a target "default"/],
    ],
    [
      "a group that names no target",
      bake('group "default" {\n  targets = ["nix"]\n}\n'),
      {},
      [/There is no target "nix" in docker-bake\.hcl, but something there refers to it/],
      "docker-bake.hcl,line=2",
    ],
    ["a file that is not there", {}, {}, [/^bake-file: there is no file "docker-bake\.hcl"/]],
    [
      "a file elsewhere",
      {},
      { "bake-file": "../x.hcl" },
      [/"\.\.\/x\.hcl" is outside|there is no file/],
    ],
    ["an address", {}, { "bake-file": "https://x.test/x.hcl" }, [/is an address; check it out/]],
    [
      "an address among targets",
      bake(""),
      { targets: "https://x.test/y.git" },
      [/^targets: .*no name of a target/],
    ],
    ["a file that is empty", bake(""), {}, [/docker-bake\.hcl/]],
    [
      "a file that is wrong",
      bake('target "api" {\n  args = { A = foo() }\n}\n'),
      { targets: "api" },
      [/^docker-bake\.hcl:2: Call to unknown function: There is no function named "foo"/],
      "docker-bake.hcl,line=2",
    ],
    [
      "a variable that is not valid",
      bake(
        'variable "V" {\n  default = "x"\n  validation {\n    condition = V != "x"\n    error_message = "V may not be x"\n  }\n}\ntarget "api" {\n}\n',
      ),
      { targets: "api" },
      [/^docker-bake\.hcl:4: Validation failed: V may not be x\.$/],
      "docker-bake.hcl,line=4",
    ],
    [
      "what buildx would pass over",
      { ...ok, ...bake('target "api" {\n  dockerfil = "x"\n  tags = ["ghcr.io/me/api:1"]\n}\n') },
      { targets: "api" },
      [
        /^docker-bake\.hcl, api: dockerfil: there is no such attribute .*did you mean dockerfile\?$/,
      ],
      "docker-bake.hcl,line=1",
    ],
    [
      "everything at once",
      bake(
        'target "api" {\n  context = "api"\n  contexts = { up = "../up" }\n  secret = ["id=k,env=UNSET"]\n  output = ["out"]\n  platforms = ["linux/amd46"]\n  entitlements = ["security.insecure"]\n  tags = ["ghcr.io/me/api:a b"]\n  args = { NPM_TOKEN = "x" }\n}\n',
      ),
      { targets: "api" },
      [
        /^docker-bake\.hcl, api: output: type=local makes no image to push; leave its target out/,
        /^docker-bake\.hcl, api: platforms: "linux\/amd46": .*did you mean amd64\?$/,
        /^docker-bake\.hcl, api: entitlements: "security\.insecure": .*allow: security\.insecure/,
        /^docker-bake\.hcl, api: tags: .*its tag "a b"/,
        /^docker-bake\.hcl, api: context: there is no folder "api"/,
        /^docker-bake\.hcl, api: contexts\.up: .*up" (in the workspace|is outside the workspace)/,
        /^docker-bake\.hcl, api: secrets: k: the environment variable UNSET is not set/,
        /^docker-bake\.hcl, api: build-args: "NPM_TOKEN": its name says that it is a secret/,
      ],
      "docker-bake.hcl,line=1",
    ],
    [
      "one tag for two",
      {
        ...ok,
        ...bake(
          'target "a" {\n  tags = ["ghcr.io/me/x:1"]\n}\ntarget "b" {\n  tags = ["ghcr.io/me/x:1"]\n}\n',
        ),
      },
      { targets: "a b" },
      [/^docker-bake\.hcl, b: tags: docker-bake\.hcl, a is ghcr\.io\/me\/x:1 too\.$/],
      "docker-bake.hcl,line=4",
    ],
    [
      "a secret file of a bake file",
      {
        ...ok,
        ...bake('target "a" {\n  tags = ["ghcr.io/me/x:1"]\n  secret = ["id=k,src=keys/k"]\n}\n'),
      },
      { targets: "a" },
      [/^docker-bake\.hcl takes a secret from the file keys\/k, which is not there\.$/],
    ],
    [
      "a secret that nobody gives",
      {
        Dockerfile:
          "FROM scratch\nCOPY Dockerfile /\nRUN --mount=type=secret,id=npm cat /run/secrets/npm\n",
        ...bake('target "a" {\n  tags = ["ghcr.io/me/x:1"]\n}\n'),
      },
      { targets: "a" },
      [/^docker-bake\.hcl, a: secrets: Dockerfile:3 mounts the secret npm, which is not given/],
      "Dockerfile,line=3",
    ],
    [
      "a compose file that is no YAML",
      { "compose.yaml": "services:\n  a:\n    build: [\n  c: d\n" },
      { "bake-file": "compose.yaml" },
      [/^compose\.yaml:4: /],
      "compose.yaml,line=4",
    ],
    [
      "a compose file with a wrong key",
      { "compose.yaml": "services:\n  a:\n    build: {contxt: .}\n" },
      { "bake-file": "compose.yaml" },
      [/services\.a\.build additional properties 'contxt' not allowed/],
      "compose.yaml,line=2",
    ],
    [
      "a compose file with nothing to build",
      { "compose.yaml": "services:\n  a: {image: x}\n" },
      { "bake-file": "compose.yaml" },
      [/there is no target to build/],
      "compose.yaml,line=1",
    ],
    [
      "a compose file in another folder, of which its paths do not start",
      {
        "deploy/api/Dockerfile": "FROM scratch",
        "deploy/c.yaml": "services:\n  a:\n    image: ghcr.io/me/a\n    build: api\n",
      },
      { "bake-file": "deploy/c.yaml" },
      [
        /^deploy\/c\.yaml, a: context: there is no folder "api" in the workspace; there is one in deploy: .*give context: deploy/,
      ],
      "deploy/c.yaml,line=2",
    ],
    [
      "more services than anybody builds",
      bake('target "a" {\n  name = "a-\u0024{i}"\n  matrix = {\n    i = range(501)\n  }\n}\n'),
      { targets: "a" },
      [/^services: there are 501 services, at most 500 may be in one step\.$/],
    ],
    [
      "what buildx loses of a compose file",
      {
        ...ok,
        "compose.yaml":
          "services:\n  a:\n    image: ghcr.io/me/a\n    build: {context: ., privileged: true}\n",
      },
      { "bake-file": "compose.yaml" },
      [/^compose\.yaml, a: build\.privileged: buildx does not pass it on/],
      "compose.yaml,line=2",
    ],
    [
      "folders without one",
      { "services/a/x": "" },
      { "bake-file": "", folders: "services/*" },
      [/^folders: "services\/\*" finds no Dockerfile in "\."\.$/],
    ],
    [
      "no folders",
      {},
      { "bake-file": "", folders: "services/*" },
      [/there is no folder "services"\.$/],
    ],
    ["folders elsewhere", {}, { "bake-file": "", folders: "../*" }, [/leads out of the context/]],
    [
      "two folders of one name",
      { "a/x/Dockerfile": "FROM scratch", "b/x/Dockerfile": "FROM scratch" },
      { "bake-file": "", folders: "*/x", registry: "ghcr.io/me" },
      [/^b\/x: name: a\/x has the same name\.$/],
    ],
    [
      "a folder with capital letters",
      { "s/Api/Dockerfile": "FROM scratch" },
      { "bake-file": "", folders: "s/*", registry: "ghcr.io/me" },
      [/^s\/Api: name: "Api": .*write api\.$/],
    ],
  ])("%s", async (_, files, inputs, causes, at = "") => {
    await using runner = await Runner.create(files);
    const run = await ship(runner, { "bake-file": "docker-bake.hcl", ...inputs });
    expect(run.exitCode).toBe(1);
    expect(run.outputs).toMatchObject({ verdict: "failed" });
    const lines = (run.outputs.cause ?? "").split("\n");
    expect(lines).toEqual(causes.map((cause) => expect.stringMatching(cause)));
    if (at !== "") expect(run.stdout).toContain(`,file=${at}::`);
    expect(run.stderr).toBe("");
    expect(run.leftovers).toEqual([]);
  });

  it("a link out of the workspace, also as a further context", async () => {
    await using runner = await Runner.create(ok);
    await mkdir(join(runner.folder, "elsewhere"));
    await writeFile(join(runner.folder, "elsewhere", "Dockerfile"), "FROM scratch\n");
    await symlink(join(runner.folder, "elsewhere"), join(runner.workspace, "link"));
    const services = JSON.stringify([
      { name: "a", context: "link" },
      { name: "b", contexts: { x: "link" } },
      { name: "c", dockerfile: "link/Dockerfile" },
    ]);
    const run = await ship(runner, { registry: "ghcr.io/me", services });
    expect((run.outputs.cause ?? "").split("\n")).toEqual([
      expect.stringMatching(
        /^services\.0 \(a\): context: "link" is outside the workspace, a link to /,
      ),
      expect.stringMatching(/^services\.1 \(b\): contexts\.x: "link" is outside the workspace/),
      expect.stringMatching(/^services\.2 \(c\): dockerfile: .*is outside the workspace/),
    ]);
  });

  it("but secrets are not asked for where nothing is built", async () => {
    await using runner = await Runner.create({
      Dockerfile: `FROM ${bed.busyboxImage}\nRUN --mount=type=secret,id=npm,required=true true\n`,
      "docker-bake.hcl": `target "default" {\n  secret = ["id=npm"]\n  tags = ["${bed.registry}/${prefix}/planned:1"]\n}\n`,
    });
    const run = await ship(runner, { "bake-file": "docker-bake.hcl", mode: "plan" });
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(run.stdout).toMatch(/secret npm is not set; a plan needs its name alone/);
  });

  it("and a file cannot read what belongs to the step", async () => {
    await using runner = await Runner.create({
      ...ok,
      "docker-bake.hcl": `variable "INPUT_PASSWORD" {\n  default = "nothing"\n}\ntarget "default" {\n  args = { SEEN = INPUT_PASSWORD }\n  tags = ["${bed.registry}/${prefix}/seen:\${INPUT_PASSWORD}"]\n}\n`,
    });
    const inputs = { "bake-file": "docker-bake.hcl", username: "me", password: "hunter-two" };
    const run = await ship(runner, { ...inputs, mode: "plan", registry: "127.0.0.1:1" });
    expect(run.stdout.replace(/^::add-mask::.*$/gm, "")).not.toContain("hunter-two");
    expect(run.outputs.matrix ?? run.outputs.images ?? "").not.toContain("hunter");
    expect(run.outputs.cause).toBe("");
  });
});
