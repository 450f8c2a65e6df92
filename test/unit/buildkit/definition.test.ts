import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { bakeDefinition } from "../../../shared/buildkit/definition.ts";
import type { BakeTarget } from "../../../shared/buildkit/index.ts";

const plain: BakeTarget = {
  name: "team/web",
  context: "/w/web",
  dockerfile: "/w/web/Dockerfile",
  dockerfileShown: "web/Dockerfile",
  repository: { host: "r.io", path: "me/web" },
  output: "push-by-digest",
};

function entry(parts: Partial<BakeTarget> = {}): Record<string, unknown> {
  const keys = new Map([
    ["team/web", "s0"],
    ["base", "s1"],
  ]);
  const { target } = bakeDefinition([{ ...plain, ...parts }], keys);
  return JSON.parse(JSON.stringify(target.s0)) as Record<string, unknown>;
}

describe("the definition of a bake", () => {
  it("pushes by digest, in OCI's media types", () => {
    expect(entry()).toEqual({
      context: "/w/web",
      dockerfile: "/w/web/Dockerfile",
      args: {},
      annotations: [],
      contexts: {},
      output: [
        "type=image,name=r.io/me/web,push=true,push-by-digest=true,name-canonical=true,oci-mediatypes=true",
      ],
      attest: [],
    });
  });

  it.each<[string, Partial<BakeTarget>, object]>([
    ["pushes nothing", { output: "none" }, { output: ["type=cacheonly"] }],
    [
      "dates what it makes",
      { sourceDateEpoch: 5 },
      {
        args: { SOURCE_DATE_EPOCH: "5" },
        output: [expect.stringContaining("rewrite-timestamp=true")],
      },
    ],
    [
      "leaves an own date",
      { sourceDateEpoch: 5, buildArgs: { SOURCE_DATE_EPOCH: "7" } },
      { args: { SOURCE_DATE_EPOCH: "7" } },
    ],
    [
      "pushes to mirrors too",
      { mirrors: [{ host: "s.io", path: "web" }] },
      { output: [expect.stringContaining('"name=r.io/me/web,s.io/web",push=true')] },
    ],
    [
      "takes further attributes of the exporter",
      { exporter: { compression: "zstd" } },
      { output: [expect.stringContaining("compression=zstd")] },
    ],
    [
      "gives secrets by mount, whatever their file is called",
      {
        secrets: [
          { id: "a", variable: "V" },
          { id: "b", file: '/s/a,"b.txt' },
        ],
      },
      { secret: ["type=env,id=a,env=V", 'type=file,id=b,"src=/s/a,""b.txt"'] },
    ],
    [
      "gives keys for SSH",
      {
        ssh: [
          { id: "default", paths: [] },
          { id: "git", paths: ["/a", "/b"] },
        ],
      },
      { ssh: ["default", "git=/a,/b"] },
    ],
    [
      "says contexts by the keys of the targets that they are",
      {
        contexts: { base: "target:base", node: "docker-image://node@sha256:1", x: "target:other" },
      },
      { contexts: { base: "target:s1", node: "docker-image://node@sha256:1", x: "target:other" } },
    ],
    ["asks for provenance", { provenance: "max" }, { attest: ["type=provenance,mode=max"] }],
    ["leaves the least provenance to buildx", { provenance: "min" }, { attest: [] }],
    ["turns provenance off", { provenance: "off" }, { attest: ["type=provenance,disabled=true"] }],
    ["asks for a bill of materials", { sbom: true }, { attest: ["type=sbom"] }],
    [
      "asks for one by a generator",
      { sbom: true, sbomGenerator: "127.0.0.1:5000/syft:1" },
      { attest: ["type=sbom,generator=127.0.0.1:5000/syft:1"] },
    ],
    [
      "has the Dockerfile's text in place of a file",
      { dockerfileInline: "FROM scratch" },
      { "dockerfile-inline": "FROM scratch" },
    ],
    ["annotates", { annotations: { "index:a": "b=c" } }, { annotations: ["index:a=b=c"] }],
  ])("%s", (_, parts, expected) => {
    expect(entry(parts)).toMatchObject(expected);
  });

  it("takes the markers of templates literally, in keys as in values", () => {
    const key = `\${k}`;
    const made = entry({
      buildArgs: { A: `\${HOME} %{if} $\${x} $5 100%` },
      labels: { [key]: "%{v}" },
      context: `/w/\${x}`,
    });
    expect(made).toMatchObject({
      args: { A: `$\${HOME} %%{if} $$\${x} $5 100%` },
      labels: { [`$${key}`]: "%%{v}" },
      context: `/w/$\${x}`,
    });
  });

  it("never leaves a marker that begins a template", () => {
    const text = fc.string({ unit: fc.constantFrom("$", "%", "{", "}", "a", '"') });
    fc.assert(
      fc.property(text, (value) => {
        const { args } = entry({ buildArgs: { A: value } }) as { args: { A: string } };
        // As HCL reads it: a doubled marker is the marker itself, a single one begins a template.
        expect(args.A.replace(/\$\$\{|%%\{/g, "-")).not.toMatch(/[$%]\{/);
        expect(args.A.replaceAll("$${", "${").replaceAll("%%{", "%{")).toBe(value);
      }),
    );
  });
});
