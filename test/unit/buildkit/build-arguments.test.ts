import { expect, it } from "@jest/globals";
import { type BuildRequest, buildArguments } from "../../../shared/buildkit/index.ts";

const request: BuildRequest = {
  name: "api",
  context: "/w/api",
  dockerfile: "/w/api/Dockerfile",
  dockerfileShown: "api/Dockerfile",
  target: undefined,
  buildArgs: {},
  secrets: [],
  platforms: [],
  repository: { host: "r.io", path: "me/api" },
  tags: ["1"],
  push: true,
  builder: undefined,
  provenance: "min",
  sbom: false,
  metadataFile: "/t/m.json",
};

it("asks for no more than is wanted", () => {
  expect(buildArguments(request)).toEqual([
    "build",
    "--progress=rawjson",
    "--metadata-file=/t/m.json",
    "--file=/w/api/Dockerfile",
    "--push",
    "--tag=r.io/me/api:1",
    "/w/api",
  ]);
});

it.each<[Partial<BuildRequest>, string[]]>([
  [{ target: "final" }, ["--target=final"]],
  [{ platforms: ["linux/amd64", "linux/arm64"] }, ["--platform=linux/amd64,linux/arm64"]],
  [{ buildArgs: { A: "x y=$(z)", B: "" } }, ["--build-arg=A=x y=$(z)", "--build-arg=B="]],
  [{ tags: ["1", "2"] }, ["--tag=r.io/me/api:1", "--tag=r.io/me/api:2"]],
  [{ builder: "b" }, ["--builder=b"]],
  [{ provenance: "max" }, ["--provenance=mode=max"]],
  [{ provenance: "off" }, ["--provenance=false"]],
  [{ sbom: true }, ["--sbom=true"]],
  [{ secrets: [{ id: "t", variable: "TOKEN" }] }, ["--secret=id=t,env=TOKEN"]],
  [{ secrets: [{ id: "t", file: "/a/b" }] }, ["--secret=id=t,src=/a/b"]],
  [{ secrets: [{ id: "t", file: '/a b/c,"d' }] }, ['--secret=id=t,"src=/a b/c,""d"']],
  [{ push: false }, ["--output=type=cacheonly"]],
])("%j adds %j", (change, expected) => {
  expect(buildArguments({ ...request, ...change })).toEqual(expect.arrayContaining(expected));
});

it("pushes nothing unless asked to", () => {
  expect(buildArguments({ ...request, push: false }).join(" ")).not.toMatch(/--push|--tag/);
});
