import { describe, expect, it } from "@jest/globals";
import { inputs } from "../../../actions/build-push/inputs.ts";
import { plan } from "../../../actions/build-push/plan.ts";
import { parseInputs } from "../../../shared/action/index.ts";

/** The plan for inputs as a workflow gives them. */
function planFor(given: Record<string, string>, sha: string | undefined = "abc123") {
  const entries = Object.entries({ registry: "ghcr.io/me", ...given });
  const environment = Object.fromEntries(
    entries.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  return plan(parseInputs(inputs, environment), {
    sha,
    isKnownSecret: (value) => value === "sssh",
  });
}

const problemsFor = (given: Record<string, string>, sha?: string) =>
  planFor(given, sha).problems.map(({ where, problem }) => `${where}: ${problem}`);

describe("one service", () => {
  it("needs no more than registry and name", () => {
    expect(planFor({ name: "api" })).toEqual({
      problems: [],
      services: [
        {
          prefix: "",
          name: "api",
          context: ".",
          dockerfile: "Dockerfile",
          target: undefined,
          buildArgs: {},
          secrets: {},
          platforms: [],
          repository: { host: "ghcr.io", path: "me/api" },
          tags: ["abc123"],
        },
      ],
    });
  });

  it("names each tag once", () => {
    expect(planFor({ name: "api", tags: "1, latest\n1" }).services[0]?.tags).toEqual([
      "1",
      "latest",
    ]);
  });
});

describe("several services", () => {
  it("take what they leave out from the inputs of the same name", () => {
    const services = "[{name: a, context: a, build-args: {X: '2'}}, {name: b, tags: [t]}]";
    const given = { services, context: "services", "build-args": "X=1\nY=1", tags: "v1" };
    expect(planFor(given).services).toMatchObject([
      { context: "services/a", buildArgs: { X: "2", Y: "1" }, tags: ["v1"] },
      { context: "services", buildArgs: { X: "1", Y: "1" }, tags: ["t"] },
    ]);
  });
});

describe("what is wrong", () => {
  it.each<[Record<string, string>, RegExp[]]>([
    [{}, [/^name: give name for one service/]],
    [{ registry: "https://x", name: "a" }, [/^registry: leave out the protocol/]],
    [{ name: "a;$(touch x)" }, [/^name: "a;\$\(touch x\)": an image's name is made of/]],
    [{ name: "::set-output name=x::y" }, [/^name: .*made of/]],
    [{ name: "a\n::error::x" }, [/^name: "a\\n::error::x": /]],
    [{ name: "--push" }, [/^name/]],
    [{ name: "a".repeat(300) }, [/^name: with the registry it has 311/]],
    [{ name: "a", tags: "ok, no:no" }, [/^tags: "no:no"/]],
    [{ name: "a", platforms: "amd64" }, [/^platforms: "amd64": write it as linux\/amd64/]],
    [{ name: "a", target: "--x" }, [/^target/]],
    [{ name: "a", "build-args": "A-B=1" }, [/^build-args: "A-B"/]],
    [
      { name: "a", "build-args": "X=sssh" },
      [/^build-args: "X": its value is a secret of this job/],
    ],
    [{ name: "a", secrets: "'a,src=/etc/passwd': X" }, [/^secrets: "a,src/]],
    [{ name: "a", username: "me" }, [/^password: .*go together/]],
    [{ name: "a", password: "pw" }, [/^username: .*go together/]],
    [{ name: "a", builder: "b", buildkit: "tcp://h:1" }, [/^builder: .*not both/]],
    [
      { name: "a", target: "t", services: "[{name: b}]" },
      [/^name: with services/, /^target: with services/],
    ],
    [
      { services: "[{name: b}, {name: A, tags: [.x]}, {name: b}]" },
      [
        /^services\.1 \(A\): name/,
        /^services\.1 \(A\): tags/,
        /^services\.2 \(b\): name: services\.0 has the same/,
      ],
    ],
  ])("in %j is told at once", (given, expected) => {
    expect(problemsFor(given)).toEqual(expected.map((each) => expect.stringMatching(each)));
  });

  it("is also a missing tag", () => {
    expect(planFor({ name: "a" }, "").problems).toEqual([
      { where: "tags", problem: expect.stringMatching(/GITHUB_SHA is not set/) },
    ]);
  });

  it("never is a public build argument", () => {
    const given = { name: "a", "build-args": "MAPS_TOKEN=x" };
    expect(problemsFor(given)).toHaveLength(1);
    expect(problemsFor({ ...given, "public-build-args": "MAPS_TOKEN" })).toEqual([]);
  });

  it("never shows a secret build argument's value", () => {
    expect(problemsFor({ name: "a", "build-args": "NPM_TOKEN=hunter2" }).join()).not.toMatch(
      /hunter2/,
    );
  });
});
