import { describe, expect, it } from "@jest/globals";
import { reproducibleStatement } from "../../../shared/registry/statement.ts";

const CREATED = "2023-11-14T22:13:20Z";
const V1 = "https://slsa.dev/provenance/v1";
const V02 = "https://slsa.dev/provenance/v0.2";
const SPDX = "https://spdx.dev/Document";

function statement(predicateType: string, predicate: unknown): string {
  const _type = "https://in-toto.io/Statement/v1";
  return JSON.stringify({ _type, predicateType, subject: [{ name: "api" }], predicate });
}

/** As BuildKit writes it for `mode=max`; all that is of one run hangs on `run`. */
function v1(run: string, builder = "") {
  return statement(V1, {
    buildDefinition: {
      buildType: "buildkit",
      externalParameters: { request: { args: { "build-arg:VERSION": "1" } } },
      internalParameters: {
        buildConfig: {
          llbDefinition: [{ id: "step0" }],
          digestMapping: { [`sha256:${run}`]: "step0" },
        },
      },
    },
    runDetails: {
      builder: { id: builder },
      metadata: {
        invocationId: run,
        startedOn: `2026-01-01T00:00:0${run.length}Z`,
        finishedOn: `2026-01-01T00:00:1${run.length}Z`,
        buildkit_metadata: {
          source: { infos: [{ filename: "Dockerfile", digestMapping: { [run]: "step1" } }] },
          layers: { "step0:0": [[{ digest: run }]] },
        },
        buildkit_completeness: { request: true },
      },
    },
  });
}

function v02(run: string, builder = "") {
  return statement(V02, {
    builder: { id: builder },
    buildType: "buildkit",
    invocation: { parameters: { args: {} } },
    buildConfig: { llbDefinition: [], digestMapping: { [run]: "step0" } },
    metadata: {
      buildInvocationID: run,
      buildStartedOn: run,
      buildFinishedOn: run,
      completeness: { parameters: true },
      reproducible: false,
      "https://mobyproject.org/buildkit@v1#metadata": {
        layers: { "step0:0": [run] },
        vcs: { revision: "c0ffee" },
      },
    },
  });
}

function spdx(run: string, more: object = {}) {
  const id = `${run.padEnd(8, "0")}-1111-4222-8333-444455556666`;
  return statement(SPDX, {
    spdxVersion: "SPDX-2.3",
    name: "api",
    documentNamespace: `https://example.org/api-${id}`,
    creationInfo: { created: `2026-01-01T00:00:0${run.length}Z`, creators: ["Tool: syft"] },
    packages: [{ name: "busybox" }],
    ...more,
  });
}

function textOf(text: string): string {
  const result = reproducibleStatement(text, CREATED);
  return result.kind === "rewritten" ? result.text : `${result.kind}`;
}

describe("statements of two runs of the same build", () => {
  it.each<[string, (run: string) => string]>([
    ["SLSA 1", v1],
    ["SLSA 0.2", v02],
    ["SPDX", spdx],
  ])("of %s say the same", (_, make) => {
    expect(textOf(make("ab"))).toBe(textOf(make("abc")));
    expect(textOf(make("ab"))).not.toMatch(/2026|"abc?"/);
    // And once they do, they stay.
    expect(reproducibleStatement(textOf(make("ab")), CREATED)).toEqual({ kind: "same" });
  });

  it("keep all that is not of the run", () => {
    const kept = JSON.parse(textOf(v1("ab")));
    expect(kept.subject).toEqual([{ name: "api" }]);
    expect(kept.predicate.buildDefinition.externalParameters).toEqual({
      request: { args: { "build-arg:VERSION": "1" } },
    });
    expect(kept.predicate.runDetails.metadata).toEqual({
      buildkit_metadata: { source: { infos: [{ filename: "Dockerfile" }] } },
      buildkit_completeness: { request: true },
    });
    expect(JSON.parse(textOf(v02("ab"))).predicate.metadata).toEqual({
      completeness: { parameters: true },
      reproducible: false,
      "https://mobyproject.org/buildkit@v1#metadata": { vcs: { revision: "c0ffee" } },
    });
  });

  it("differ where the content does: no two bills have one name", () => {
    const one = JSON.parse(textOf(spdx("ab"))).predicate;
    const other = JSON.parse(textOf(spdx("ab", { packages: [] }))).predicate;
    expect(one.creationInfo.created).toBe(CREATED);
    expect(one.documentNamespace).toMatch(
      /^https:\/\/example\.org\/api-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(one.documentNamespace).not.toBe(other.documentNamespace);
  });
});

it.each<[string, string, RegExp]>([
  [
    "of a kind we do not know",
    statement("https://example.org/tests", {}),
    /example\.org\/tests is not known/,
  ],
  ["without a kind", JSON.stringify({ predicate: {} }), /without a name is not known/],
  ["of SLSA without its parts", statement(V1, {}), /not the parts of its kind/],
  ["of SLSA 0.2 without its parts", statement(V02, {}), /not the parts of its kind/],
  [
    "whose builder is the run",
    v1("ab", "https://github.com/o/r/actions/runs/12345"),
    /names this one run/,
  ],
  ["of a bill that is none", statement(SPDX, {}), /no SPDX document/],
  ["that is no JSON", "{", /no JSON/],
  [
    "with a number that we cannot write again",
    statement(V1, { at: 0 }).replace(":0", ":12345678901234567890"),
    /no JSON that we can write/,
  ],
])("a statement %s is left alone, and it is said why", (_, text, why) => {
  expect(reproducibleStatement(text, CREATED)).toEqual({
    kind: "unknown",
    why: expect.stringMatching(why),
  });
});

it("a bill of an image without a time is left alone", () => {
  expect(reproducibleStatement(spdx("ab"), undefined)).toMatchObject({ kind: "unknown" });
});
