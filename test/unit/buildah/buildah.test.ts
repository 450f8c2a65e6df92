import { describe, expect, it } from "@jest/globals";
import { buildArguments } from "../../../shared/buildah/arguments.ts";
import { buildahFailure } from "../../../shared/buildah/failure.ts";
import { limitsOf } from "../../../shared/buildah/limits.ts";
import { locate } from "../../../shared/buildah/locate.ts";
import { BuildahProgress } from "../../../shared/buildah/progress.ts";
import { withDockersRules } from "../../../shared/buildah/surroundings.ts";
import type { BakeTarget, BuildEvent } from "../../../shared/buildkit/index.ts";

const target: BakeTarget = {
  name: "api",
  context: "/w/api",
  dockerfile: "/w/api/Dockerfile",
  dockerfileShown: "api/Dockerfile",
  output: "push-by-digest",
};
const plan = { list: "localhost/l", isolation: "chroot", dockerfile: "/w/api/Dockerfile" };

describe("the arguments of buildah build", () => {
  it("say all that a target says, each text as a word of its own", () => {
    const full: BakeTarget = {
      ...target,
      target: "run",
      platforms: ["linux/amd64", "linux/arm64"],
      sourceDateEpoch: 1_700_000_000,
      buildArgs: { A: "1 2; rm -rf /" },
      labels: { l: "v" },
      annotations: { plain: "p", "manifest:own": "o" },
      secrets: [
        { id: "tok", variable: "TOKEN" },
        { id: "key", file: "/w/key" },
      ],
      ssh: [
        { id: "default", paths: [] },
        { id: "git", paths: ["/a", "/b"] },
      ],
      noCache: true,
      pull: true,
      network: "host",
      extraHosts: { db: "10.0.0.1" },
    };
    expect(buildArguments(full, plan)).toEqual([
      ...["build", "--layers", "--format=oci", "--identity-label=false", "--isolation=chroot"],
      ...["--manifest=localhost/l", "--file=/w/api/Dockerfile", "--timestamp=1700000000"],
      ...["--platform=linux/amd64,linux/arm64", "--target=run", "--build-arg=A=1 2; rm -rf /"],
      ...["--label=l=v", "--annotation=plain=p", "--annotation=own=o"],
      ...["--secret=id=tok,type=env,env=TOKEN", "--secret=id=key,type=file,src=/w/key"],
      ...["--ssh=default", "--ssh=git=/a,/b", "--no-cache", "--pull-always", "--network=host"],
      ...["--add-host=db:10.0.0.1", "/w/api"],
    ]);
  });
});

describe("what buildah cannot do", () => {
  it.each([
    [{ sbom: true }, "a bill of materials (sbom)"],
    [{ provenance: "max" as const }, "provenance (provenance: max)"],
    [{ contexts: { base: "target:base" } }, "another build as the context base"],
    [{ annotations: { "index:x": "y" } }, "annotation of an index (index:x)"],
    [{ entitlements: ["security.insecure"] }, "the rights security.insecure"],
  ])("is refused where it was asked for: %j", (wish, phrase) => {
    expect(limitsOf({ ...target, ...wish }).refused).toEqual([phrase]);
  });

  it("is said as not done where nobody insisted", () => {
    expect(limitsOf({ ...target, provenance: "min" })).toEqual({
      refused: [],
      notDone: ["a provenance attestation"],
    });
    expect(limitsOf({ ...target, provenance: "off" })).toEqual({ refused: [], notDone: [] });
  });
});

// The lines are those of buildah 1.28.
describe("the progress of buildah", () => {
  const follow = (lines: readonly string[], labels: readonly string[] = []) => {
    const events: BuildEvent[] = [];
    const progress = new BuildahProgress(
      () => 0,
      (event) => events.push(event),
      labels,
    );
    for (const line of lines) progress.read(line);
    return { events, progress };
  };

  it("counts the steps of all stages, and leaves out labels of the command line", () => {
    const { events, progress } = follow(
      [
        "[1/2] STEP 1/2: FROM base AS made",
        "[1/2] STEP 2/2: RUN echo one    > /one",
        "--> Using cache 88529e8a77f810756865a1fe3f1c150dbd70bd7eb7519a5510cdede33e8e96a0",
        "--> 88529e8a77f",
        "[2/2] STEP 1/3: FROM 0353d469cfeb22a89498441fd3950c8a90aaa546df0c74580eb9cab0a7df2c0a",
        "[2/2] STEP 2/3: RUN cat /hello",
        "hi--> e0e9601afce",
        '[2/2] STEP 3/3: LABEL "dev.seaworthy.key"="x"',
        "--> a6fb9708380",
        "[2/2] COMMIT",
        "a6fb97083802c886cefe0ce6909e8047bab20f4b96d0bfc2124f5437f91c05d0",
      ],
      ["dev.seaworthy.key"],
    );
    progress.end();
    expect(progress.steps).toEqual({ done: 2, cached: 1, total: 2 });
    expect(events).toEqual([
      expect.objectContaining({ kind: "step", name: "RUN echo one > /one", cached: true }),
      { kind: "output", text: "hi" },
      expect.objectContaining({ kind: "step", name: "RUN cat /hello", cached: false, done: 2 }),
    ]);
  });

  it("warns of a base image for another platform, once", () => {
    const line =
      "WARNING: image platform ({amd64 linux  [] }) does not match the expected platform ({arm64 linux  [] })";
    expect(follow([line, line]).events).toEqual([
      {
        kind: "warning",
        line: undefined,
        text: "InvalidBaseImagePlatform: image platform linux/amd64 does not match the expected platform linux/arm64",
      },
    ]);
  });

  it("keeps the error and what was printed before", () => {
    const { progress } = follow([
      "STEP 1/2: FROM base",
      "STEP 2/2: RUN make",
      "no rule",
      "subprocess exited with status 7",
      'time="2026-01-01T00:00:00Z" level=warning msg="a \\"bad\\" thing"',
      'Error: building at STEP "RUN make": exit status 7',
    ]);
    expect(progress.error).toBe('building at STEP "RUN make": exit status 7');
    expect(progress.output).toEqual(["no rule", 'a \\"bad\\" thing']);
    expect(progress.step).toBe("RUN make");
    expect(progress.steps).toEqual({ done: 0, cached: 0, total: 1 });
  });
});

const dockerfile = [
  "# syntax=docker/dockerfile:1",
  "FROM registry/base:1 AS made",
  "RUN echo one && \\",
  "    # a remark",
  "    exit 7",
  "COPY nope /x",
  "RUN last",
].join("\n");

describe("the line of an instruction", () => {
  it.each([
    ["FROM registry/base:1", 2],
    ["RUN echo one &&     exit 7", 3],
    ["COPY nope /x", 6],
    ["RUN last", 7],
    ["COPY $value /x", 6],
    ["RUN unknown", undefined],
  ])("%s is %s", (instruction, line) => {
    expect(locate(dockerfile, instruction)).toBe(line);
  });
});

describe("a build that broke", () => {
  const tell = (error: string, output: readonly string[] = []) =>
    buildahFailure({ name: "api", dockerfile: "api/Dockerfile", text: dockerfile, error, output });

  it.each([
    [
      'building at STEP "RUN echo one &&     exit 7": exit status 7',
      "api: the Dockerfile does not build",
      "api/Dockerfile:3: RUN echo one && exit 7 failed: exit status 7. Its last words: oh",
      3,
    ],
    [
      'building at STEP "COPY nope /x": checking on sources under "/w/api": copier: stat: "/nope": no such file or directory',
      "api: a file to copy is missing",
      "api/Dockerfile:6: COPY nope /x failed: there is no nope.",
      6,
    ],
    [
      "creating build container: initializing source docker://registry/base:1: reading manifest 1 in registry/base: manifest unknown",
      "api: the base image cannot be had",
      "api/Dockerfile:2 starts from registry/base:1: reading manifest 1 in registry/base: manifest unknown.",
      2,
    ],
    ["something else", "api: the build failed", "buildah says: something else.", undefined],
  ])("is told with its place: %s", (error, title, cause, line) => {
    const failure = tell(error, ["oh"]);
    expect(failure).toMatchObject({ title, cause });
    expect(failure.at?.line).toBe(line);
  });
});

describe("the rules for registries", () => {
  it("are docker's where the machine has none of its own", () => {
    expect(withDockersRules("", ["127.0.0.1:5000"])).toBe(
      'unqualified-search-registries = ["docker.io"]\n\n[[registry]]\nlocation = "127.0.0.1:5000"\ninsecure = true\n',
    );
  });

  it("stay the machine's where it has some", () => {
    const own =
      'unqualified-search-registries = ["quay.io"]\n[[registry]]\nlocation = "127.0.0.1:5000"\n';
    expect(withDockersRules(own, ["127.0.0.1:5000"])).toBe(own);
    expect(withDockersRules("[registries.search]\nregistries = []\n", ["a"])).toBeUndefined();
  });
});
