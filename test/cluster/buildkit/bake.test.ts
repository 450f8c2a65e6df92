import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Secrets } from "../../../shared/secrets/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { Bakehouse, blob, held } from "./bakehouse.ts";

jest.setTimeout(60_000);

let bed: Endpoints;
let house: Bakehouse;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "busybox-image"]);
  house = await Bakehouse.open(bed);
}, 30 * 60_000);

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const from = (...lines: string[]) => [`FROM ${bed.busyboxImage}`, ...lines, ""].join("\n");

/** The one platform's manifest and configuration of what was pushed. */
async function imageOf(name: string, digest: string | undefined) {
  const repository = house.repository(name);
  const index = await held(repository, digest ?? "");
  const [first] = (index?.manifests ?? []) as { digest: string; annotations?: object }[];
  const manifest = first === undefined ? index : await held(repository, first.digest);
  const config = manifest?.config as { digest: string };
  return { index, manifest, config: await blob(repository, config.digest) };
}

describe("a bake", () => {
  it("pushes each target by digest, under no tag, and tells how it went", async () => {
    const { results, events } = await house.bake([
      {
        name: "web",
        dockerfileText: from(`RUN : ${Math.random()}; echo the web`),
        labels: { mine: "yes" },
      },
      {
        name: "web api",
        repository: house.repository("api"),
        dockerfileText: from("COPY x /x"),
        files: { x: "x" },
      },
      { name: "only", dockerfileText: from("RUN echo built only"), output: "none" },
    ]);
    expect(results).toEqual({
      web: expect.objectContaining({ digest: expect.stringMatching(/^sha256:/), attempts: 1 }),
      "web api": expect.objectContaining({ digest: expect.stringMatching(/^sha256:/) }),
      only: expect.not.objectContaining({ failure: expect.anything() }),
    });
    expect(results.only?.digest).toBeUndefined();
    expect(results.web?.steps).toMatchObject({ done: 2, total: 2 });
    const { config, index } = await imageOf("web", results.web?.digest);
    expect(config.config).toMatchObject({ Labels: { mine: "yes" } });
    expect(index?.mediaType).toBe("application/vnd.oci.image.index.v1+json");
    const tags = await fetch(`http://${bed.registry}/v2/${house.prefix}/web/tags/list`);
    expect(tags.ok ? ((await tags.json()) as { tags: unknown }).tags : null).toBeNull();
    const told = events.map(([name, event]) => `${name} ${event.kind}`);
    expect(told).toEqual(
      expect.arrayContaining([
        "web step",
        "web output",
        "web pushed",
        "web api pushed",
        "only step",
      ]),
    );
    expect(told).not.toContain("only pushed");
    expect(events).toContainEqual(["web", { kind: "output", text: "the web" }]);
    const reference = `${bed.registry}/${house.prefix}/web@${results.web?.digest}`;
    expect(events).toContainEqual(["web", { kind: "pushed", reference }]);
  });

  it("makes the same image from the same, whenever it is built", async () => {
    const wanted = {
      name: "same",
      dockerfileText: from("RUN date > /dev/null; echo x > /x"),
      provenance: "off" as const,
    };
    const first = await house.bake([wanted]);
    const second = await house.bake([
      { ...wanted, noCache: true },
      { name: "other", dockerfileText: from("RUN true") },
    ]);
    expect(second.results.same?.steps.cached).toBe(1);
    expect(second.results.same?.digest).toBe(first.results.same?.digest);
    const { config } = await imageOf("same", first.results.same?.digest);
    expect(config.created).toBe("2023-11-14T22:13:20Z");
  });

  it("takes every text as it is: no templates, no quoting, no shell", async () => {
    const value = `\${HOME} %{if true} $\${x} "two" 'one' \`id\` $(id) , = \\ ;\nnext é`;
    const key = `k.\${x}`;
    const { results, events } = await house.bake(
      [
        {
          name: "texts",
          dockerfileText: from(
            "ARG VALUE",
            `ENV AT=${Math.random()}`,
            'RUN --mount=type=secret,id=env --mount=type=secret,id=file,required=true cat /run/secrets/env; echo; cat /run/secrets/file; echo; echo; printf %s "$VALUE" | md5sum',
          ),
          buildArgs: { VALUE: value },
          labels: { value, [key]: "%{y}" },
          annotations: { "index:the.index": value, "the.manifest": "plain" },
          secrets: [
            { id: "env", variable: "THE_SECRET" },
            { id: "file", file: `${house.folder}/texts/a, "secret".txt` },
          ],
          files: { 'a, "secret".txt': "of the file", ".dockerignore": "*" },
        },
      ],
      { environment: { DOCKER_CONFIG: bed.dockerConfig, THE_SECRET: `\${HOME}%{x}` } },
    );
    expect(results.texts?.failure).toBeUndefined();
    const said = events.flatMap(([, event]) => (event.kind === "output" ? [event.text] : []));
    const { createHash } = await import("node:crypto");
    const hash = createHash("md5").update(value).digest("hex");
    expect(said).toEqual([`\${HOME}%{x}`, "of the file", "", `${hash}  -`]);
    const { config, index, manifest } = await imageOf("texts", results.texts?.digest);
    expect(config.config).toMatchObject({ Labels: { value, [key]: "%{y}" } });
    expect(index?.annotations).toEqual({ "the.index": value });
    expect(manifest?.annotations).toMatchObject({ "the.manifest": "plain" });
  });

  it("builds on what a context pins, wherever the Dockerfile names it", async () => {
    const pinned = `docker-image://${bed.busyboxImage}`;
    const { results } = await house.bake([
      {
        name: "pinned",
        dockerfileText: [
          "FROM node:24 AS build",
          "RUN echo made > /made",
          "FROM scratch",
          "COPY --from=nginx:1.27 /bin/busybox /bin/sh",
          "COPY --from=build /made /made",
          "RUN --mount=from=not.there/at:all,target=/mnt test -e /mnt/bin",
        ].join("\n"),
        contexts: { "node:24": pinned, "nginx:1.27": pinned, "not.there/at:all": pinned },
        platforms: ["linux/amd64"],
      },
    ]);
    expect(results.pinned?.failure).toBeUndefined();
    expect(results.pinned?.digest).toMatch(/^sha256:/);
  });

  it("builds targets on each other, whatever they are called", async () => {
    const { results } = await house.bake([
      { name: "team/base.image", dockerfileText: from("RUN echo base > /base"), output: "none" },
      {
        name: "user",
        dockerfileText: "FROM the-base\nRUN cat /base > /copy\n",
        contexts: { "the-base": "target:team/base.image" },
      },
    ]);
    expect(results.user?.failure).toBeUndefined();
    expect(results.user?.digest).toMatch(/^sha256:/);
    expect(results["team/base.image"]).toMatchObject({ digest: undefined, attempts: 1 });
  });

  it("attests what it is asked to, and pushes for several platforms and to mirrors", async () => {
    const mirror = house.repository("mirror");
    const { results } = await house.bake([
      {
        name: "papers",
        dockerfileText: "FROM scratch\nARG TARGETARCH\nCOPY x /x-$TARGETARCH\n",
        files: { x: "x" },
        platforms: ["linux/amd64", "linux/arm64"],
        provenance: "max",
        mirrors: [mirror],
      },
      {
        name: "bare",
        dockerfileText: "FROM scratch\nCOPY x /\n",
        files: { x: "" },
        provenance: "off",
      },
    ]);
    const index = await held(mirror, results.papers?.digest ?? "");
    const manifests = (index?.manifests ?? []) as { platform: { architecture: string } }[];
    const platforms = manifests.map(({ platform }) => platform.architecture);
    expect(platforms).toEqual(["amd64", "arm64", "unknown", "unknown"]);
    const bare = await held(house.repository("bare"), results.bare?.digest ?? "");
    expect(bare?.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
  });
});

it("hides secrets in what a build prints, whole, and nothing beside them", async () => {
  const secrets = new Secrets();
  secrets.add("sesame-open-7");
  const { events, results } = await house.bake(
    [
      {
        name: "talks",
        dockerfileText: from(
          `ENV AT=${Math.random()}`,
          "RUN printf 'one\\nxsesame-open-7y\\nafter é\\n'; echo two sesame-open-7 >&2; exit 3",
        ),
      },
    ],
    { secrets },
  );
  const said = events.flatMap(([, event]) => (event.kind === "output" ? [event.text] : []));
  expect([...said].sort()).toEqual(["after é", "one", "two ***", "x***y"]);
  const { failure } = results.talks ?? {};
  expect(failure?.cause).toMatch(/:3: RUN printf 'one\\nx\*\*\*y.*Its last words: two \*\*\*$/);
  expect(failure?.evidence).toContain("x***y\nafter é");
  expect(JSON.stringify(failure)).not.toContain("sesame");
});
