import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep, type Step } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { builderOf } from "./builder.ts";

const main = bundleOf("build-push");
const OCI = "org.opencontainers.image";
const COMMITTED = "2020-01-10T00:30:00Z";
// Neither .git nor what else lies beside it gets into the image, with no .dockerignore to say so.
const SERVICE = { Dockerfile: "FROM scratch\nCOPY hello /hello\n", hello: "hello" };
const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

jest.setTimeout(60_000);

let bed: Endpoints;
const registry = () => `${bed.registry}/tags-${suffix}`;
const suffix = randomBytes(4).toString("hex");

beforeAll(async () => {
  bed = await up(["registry", "buildkit"]);
}, 30 * 60_000);

function git(runner: Runner, date: string, ...args: readonly string[]): string {
  const env = { ...process.env, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date };
  const identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
  const options = { cwd: runner.workspace, env, encoding: "utf8" } as const;
  return execFileSync("git", [...identity, ...args], options).trim();
}

/** A checkout with one commit. */
async function checkout(files: Readonly<Record<string, string>> = SERVICE): Promise<Runner> {
  const runner = await Runner.create(files);
  git(runner, COMMITTED, "init", "-q");
  git(runner, COMMITTED, "add", ".");
  git(runner, COMMITTED, "commit", "-q", "-m", "first");
  return runner;
}

interface Run {
  readonly ref: string;
  readonly name?: string;
  readonly payload?: object;
  readonly inputs: Readonly<Record<string, string>>;
}

/** Runs the action for an event on what is checked out. */
async function run(
  runner: Runner,
  { ref, name = "push", payload = {}, inputs }: Run,
): Promise<Step> {
  const repository = {
    full_name: "octocat/Hello",
    default_branch: "main",
    description: "Says hello",
  };
  const event = await runner.write("../event.json", JSON.stringify({ repository, ...payload }));
  return runStep(main, {
    runner,
    inputs: { registry: registry(), scan: "off", ...inputs },
    environment: {
      ...builderOf(bed),
      GITHUB_EVENT_NAME: name,
      GITHUB_EVENT_PATH: event,
      GITHUB_REF: ref,
      GITHUB_REPOSITORY: "octocat/Hello",
      GITHUB_SHA: git(runner, COMMITTED, "rev-parse", "HEAD"),
    },
  });
}

/** What the registry holds, asked without any of the action's code. */
async function ask(service: string, path: string): Promise<Response> {
  const headers = { accept: `${INDEX}, ${MANIFEST}` };
  return fetch(`http://${bed.registry}/v2/tags-${suffix}/${service}/${path}`, { headers });
}

async function tagsAt(service: string): Promise<readonly string[]> {
  const { tags } = (await (await ask(service, "tags/list")).json()) as { tags: string[] };
  return tags.filter((tag) => !tag.startsWith("key-")).sort();
}

/** The configuration of the image under a tag, and the digest of the whole. */
async function imageAt(service: string, tag: string) {
  const answer = await ask(service, `manifests/${tag}`);
  const digest = answer.headers.get("docker-content-digest");
  const top = (await answer.json()) as {
    manifests?: { digest: string }[];
    config?: { digest: string };
  };
  const manifest =
    top.manifests === undefined
      ? top
      : ((await (
          await ask(service, `manifests/${top.manifests[0]?.digest}`)
        ).json()) as typeof top);
  const config = (await (await ask(service, `blobs/${manifest.config?.digest}`)).json()) as {
    readonly created: string;
    readonly config: { readonly Labels: Readonly<Record<string, string>> };
  };
  return { digest, created: config.created, labels: config.config.Labels };
}

const RULES =
  "type=ref,event=branch\ntype=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=sha";

describe("an image's tags and labels", () => {
  it("are those of a release, by its commit's time, and its labels those of the commit", async () => {
    await using runner = await checkout();
    const sha = git(runner, COMMITTED, "rev-parse", "HEAD");
    const inputs = { name: "released", tags: RULES, labels: "team=shop\nbuilt.of={{sha}}" };
    const step = await run(runner, { ref: "refs/tags/v1.2.3", inputs });
    expect({ cause: step.outputs.cause, exitCode: step.exitCode }).toEqual({
      cause: "",
      exitCode: 0,
    });
    const short = sha.slice(0, 7);
    expect(JSON.parse(step.outputs.images ?? "").released.tags).toEqual([
      "1.2.3",
      "1.2",
      `sha-${short}`,
      "latest",
    ]);
    expect(await tagsAt("released")).toEqual(["1.2", "1.2.3", "latest", `sha-${short}`]);
    const image = await imageAt("released", "latest");
    expect(image.created).toBe(COMMITTED);
    expect(image.labels).toMatchObject({
      [`${OCI}.title`]: "Hello",
      [`${OCI}.description`]: "Says hello",
      [`${OCI}.source`]: "https://github.com/octocat/Hello",
      [`${OCI}.revision`]: sha,
      [`${OCI}.version`]: "1.2.3",
      [`${OCI}.created`]: COMMITTED,
      team: "shop",
      "built.of": short,
    });
  });

  it("make one digest of one commit, wherever and whenever it is built", async () => {
    const inputs = { name: "same", rebuild: "always", "no-cache": "true" };
    const images = [];
    for (const tag of ["once", "again"]) {
      await using runner = await checkout();
      // Written at another time after the commit.
      if (tag === "again")
        await utimes(join(runner.workspace, "hello"), 1_700_000_000, 1_700_000_000);
      const step = await run(runner, {
        ref: "refs/heads/main",
        inputs: { ...inputs, tags: `v1 ${tag}` },
      });
      expect(step.outputs).toMatchObject({ verdict: "passed", cause: "" });
      expect(JSON.parse(step.outputs.changed ?? "")).toEqual(["same"]);
      images.push(await imageAt("same", tag));
    }
    expect(images[0]?.digest).toMatch(/^sha256:/);
    expect(images[1]).toEqual(images[0]);
  });

  it("of a commit that changed nothing are put on the image before, which names its own commit", async () => {
    await using runner = await checkout();
    const first = git(runner, COMMITTED, "rev-parse", "HEAD");
    const inputs = { name: "kept", tags: "type=sha,format=long,prefix=", labels: "a=1" };
    await run(runner, { ref: "refs/heads/main", inputs });
    await runner.write("notes", "nothing that is built");
    git(runner, "2021-01-01T00:00:00Z", "add", ".");
    git(runner, "2021-01-01T00:00:00Z", "commit", "-q", "-m", "second");
    const second = git(runner, COMMITTED, "rev-parse", "HEAD");
    const step = await run(runner, { ref: "refs/heads/main", inputs });
    expect(JSON.parse(step.outputs.changed ?? "")).toEqual([]);
    expect(await tagsAt("kept")).toEqual([first, second].sort());
    const image = await imageAt("kept", second);
    expect(image.labels).toMatchObject({
      [`${OCI}.revision`]: first,
      [`${OCI}.created`]: COMMITTED,
    });

    const relabelled = await run(runner, {
      ref: "refs/heads/main",
      inputs: { ...inputs, labels: "a=2" },
    });
    expect(JSON.parse(relabelled.outputs.changed ?? "")).toEqual(["kept"]);
    expect(relabelled.stdout).toMatch(/kept: building: .*label/);
    expect((await imageAt("kept", second)).labels).toMatchObject({
      [`${OCI}.revision`]: second,
      [`${OCI}.created`]: "2021-01-01T00:00:00Z",
      a: "2",
    });
  });

  it("reach the registry as they are written, annotations at their levels", async () => {
    await using runner = await checkout();
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what bake would take for a variable.
    const odd = 'a "quoted", ${HOME} %{if} \\ text, ünïcode\ton one line';
    const inputs = {
      name: "annotated",
      tags: "v1",
      labels: `odd=${odd}`,
      annotations: "plain=1\nindex:whole={{branch}}\nmanifest-descriptor:entry=x=y",
    };
    const payload = { repository: { description: "two\nlines", default_branch: "main" } };
    const step = await run(runner, { ref: "refs/heads/main", payload, inputs });
    expect(step.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect((await imageAt("annotated", "v1")).labels).toMatchObject({
      odd,
      [`${OCI}.description`]: "two\nlines",
    });
    const index = (await (await ask("annotated", "manifests/v1")).json()) as {
      readonly annotations?: object;
      readonly manifests: readonly { readonly digest: string; readonly annotations?: object }[];
    };
    const [entry] = index.manifests;
    expect(index.annotations).toEqual({ whole: "main" });
    expect(entry?.annotations).toMatchObject({ entry: "x=y" });
    const manifest = await (await ask("annotated", `manifests/${entry?.digest}`)).json();
    expect(manifest).toMatchObject({ annotations: { plain: "1" } });
  });

  it("of an index are refused where there is none", async () => {
    await using runner = await checkout();
    const inputs = { name: "plain", tags: "v1", provenance: "off", annotations: "index:a=1" };
    const step = await run(runner, { ref: "refs/heads/main", inputs });
    expect(step.outputs).toMatchObject({
      verdict: "failed",
      cause:
        "annotations: index:a: an image of one platform without provenance and sbom has no index that could be annotated.",
    });
  });

  it("are not asked for in vain: a run that has none says why, and builds nothing", async () => {
    await using runner = await checkout();
    const inputs = { name: "none", tags: "type=semver,pattern={{version}}\ntype=ref,event=pr" };
    const step = await run(runner, { ref: "refs/heads/main", inputs });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toBe(
      "tags: no tag comes of it for a run for the event push on the branch main: line 1 (type=semver,pattern={{version}}): the run is not for a git tag; line 2 (type=ref,event=pr): the run is not for a pull request.",
    );
    expect((await ask("none", "tags/list")).status).toBe(404);
  });

  it("that are wrong are all told at once, of the step and of services", async () => {
    await using runner = await checkout();
    const services = JSON.stringify([
      { name: "a" },
      { name: "b", tags: ["type=sah"], labels: { "x y": "1" } },
    ]);
    const inputs = {
      services,
      tags: "v1\ntype=ref\n-x",
      flavor: "latest=maybe",
      labels: "a={{brunch}}",
    };
    const step = await run(runner, { ref: "refs/heads/main", inputs });
    const cause = step.outputs.cause?.split("\n") ?? [];
    expect(cause).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^tags: line 2 \(type=ref\): type=ref needs event=/),
        expect.stringMatching(/^tags: line 3 \(-x\): "-x": a tag is made of/),
        expect.stringMatching(/^flavor: line 1 \(latest=maybe\): latest is auto, true or false/),
        expect.stringMatching(
          /^labels: a: there is no expression {{brunch}}; did you mean {{branch}}\?/,
        ),
        expect.stringMatching(/^services\.1 \(b\): tags: type=sah: .*did you mean sha\?/),
        expect.stringMatching(/^services\.1 \(b\): labels: x y: a name has no white space/),
      ]),
    );
    expect(cause).toHaveLength(6);
  });
});
