import { describe, expect, it } from "@jest/globals";
import {
  brokenTarget,
  buildxError,
  findInstruction,
  isQuotedFrom,
  locateInDockerfile,
} from "../../../shared/buildkit/build-error.ts";
import { buildFailure } from "../../../shared/buildkit/build-failure.ts";
import type { FailedBuild } from "../../../shared/buildkit/failed-build.ts";

const ruler = "--------------------";
const subject: FailedBuild = {
  name: "api",
  dockerfile: "services/api/Dockerfile",
  annotated: true,
  builtOn: undefined,
  image: "ghcr.io/me/api",
  builder: undefined,
  error: "",
  located: undefined,
  failed: undefined,
  stopped: undefined,
  missing: undefined,
  tried: undefined,
  text: [],
};

function broken(...text: string[]) {
  return buildFailure(known({ text }));
}

function known(parts: Partial<FailedBuild>): FailedBuild {
  const { text = [] } = parts;
  return {
    ...subject,
    error: buildxError(text),
    located: locateInDockerfile(text),
    ...parts,
  };
}

const block = [
  "Dockerfile:8",
  ruler,
  "   7 |     EOF",
  '   8 | >>> RUN ["/nope", \\',
  '   9 | >>>  "x"]',
  "  10 |     ",
  ruler,
];

function at(line: number, instruction: string): string[] {
  return [`Dockerfile:${line}`, ruler, `   ${line} | >>> ${instruction}`, ruler];
}

describe("the place where a build broke", () => {
  it.each([
    [["nothing of the kind"], undefined],
    [["Dockerfile:4", "no ruler"], undefined],
    [
      ["WARNING: No output", ...block, "ERROR: x"],
      {
        line: 8,
        instruction: 'RUN ["/nope", "x"]',
        excerpt: block.slice(2, 6),
      },
    ],
    [
      ["D9:1", ruler, "   1 | >>> FORM scratch", ruler, "ERROR: x"],
      { line: 1, instruction: "FORM scratch", excerpt: ["   1 | >>> FORM scratch"] },
    ],
    [
      // As it comes when buildx was cut short.
      ["my file:2", ruler, "   2 | >>> COPY a b"],
      { line: 2, instruction: "COPY a b", excerpt: ["   2 | >>> COPY a b"] },
    ],
  ])("%j", (lines, expected) => {
    expect(locateInDockerfile(lines)).toEqual(expected);
  });
});

it.each([
  [["ERROR: failed to build: failed to solve: the end"], "the end"],
  [['ERROR: no builder "x" found'], 'no builder "x" found'],
  [["ERROR: old", "ERROR: failed to solve: new", "after"], "new"],
  [["words", ""], "words"],
  [[], ""],
])("buildx's words in %j are %j", (lines, expected) => {
  expect(buildxError(lines)).toBe(expected);
});

it.each([
  [["ERROR: target s1: failed to solve: the end"], "s1", "the end"],
  [["ERROR: target s1: target s1: failed to solve: x"], "s1", "x"],
  [["ERROR: failed to solve: target s1: x"], undefined, "target s1: x"],
  [["target s1: x"], undefined, "target s1: x"],
])("of several targets, %j is about %j", (lines, target, error) => {
  expect(brokenTarget(lines)).toBe(target);
  expect(buildxError(lines)).toBe(error);
});

describe("the Dockerfile that broke", () => {
  const dockerfile = "FROM a\r\nADD \\\n  http://x \\\n  /y\nRUN a\n  RUN a\n";

  it("is the one that has the lines quoted", () => {
    const located = {
      line: 1,
      instruction: "",
      excerpt: ["   1 | >>> FROM a", "   5 |     RUN a"],
    };
    expect(isQuotedFrom(dockerfile, located)).toBe(true);
    expect(isQuotedFrom(`# x\n${dockerfile}`, located)).toBe(false);
    expect(isQuotedFrom("", located)).toBe(false);
  });

  it.each([
    ["ADD http://x /y", 2],
    ["FROM a", 1],
    ["RUN a", undefined],
    ["RUN b", undefined],
  ])("has %s on line %p", (step, line) => {
    expect(findInstruction(dockerfile, step)?.line).toBe(line);
  });
});

describe("a failed build is told", () => {
  it.each([
    [
      "with the Dockerfile's line",
      [...block, "ERROR: failed to build: failed to solve: exit code: 1"],
      {
        title: "api: the Dockerfile does not build",
        cause: /^services\/api\/Dockerfile:8: RUN \["\/nope", "x"\] failed: exit code: 1\.$/,
      },
    ],
    [
      "when the push is denied, with the scope",
      [
        "ERROR: failed to build: failed to solve: failed to push ghcr.io/me/api:1: denied: permission_denied: write_package",
      ],
      {
        title: "api: the image could not be pushed",
        cause: /missing is repository:me\/api:pull,push/,
      },
    ],
    [
      "when the registry cannot be reached from BuildKit",
      [
        'ERROR: failed to build: failed to solve: failed to push 127.0.0.1:1/foo:1: failed to do request: Head "http://127.0.0.1:1/v2/foo": dial tcp 127.0.0.1:1: connect: connection refused',
      ],
      { title: "api: the image could not be pushed", cause: /connection refused\.$/ },
    ],
    [
      "when the base image is not there",
      [
        ...at(4, "FROM r.io/no:1"),
        "ERROR: failed to build: failed to solve: r.io/no:1: failed to resolve source metadata for r.io/no:1: r.io/no:1: not found",
      ],
      {
        title: "api: the base image cannot be had",
        cause: /Dockerfile:4 starts from r\.io\/no:1: r\.io\/no:1: not found/,
      },
    ],
    [
      "when a stage's name is misspelt, and so taken for an image",
      [
        ...at(5, "COPY --from=biuld /a /b"),
        "ERROR: failed to build: failed to solve: biuld: failed to resolve source metadata for docker.io/library/biuld:latest: no such host (did you mean build?)",
      ],
      {
        title: "api: an image that the Dockerfile names cannot be had",
        cause:
          /Dockerfile:5 takes files from docker\.io\/library\/biuld:latest, which no stage is called: .*did you mean build/,
      },
    ],
    [
      "when its syntax cannot be had",
      [
        ...at(1, "# syntax=docker/dockerfile:1"),
        "ERROR: failed to build: failed to solve: failed to resolve source metadata for docker.io/docker/dockerfile:1: no such host",
      ],
      { title: "api: the Dockerfile's syntax cannot be had", cause: /asks for the syntax docker/ },
    ],
    [
      "when what makes the bill of materials cannot be had",
      [
        "ERROR: failed to build: failed to solve: failed to resolve source metadata for docker.io/docker/buildkit-syft-scanner:stable-1: no such host",
      ],
      {
        title: "api: an image that the build needs cannot be had",
        cause: /^The input sbom needs the image docker/,
      },
    ],
    [
      "when the base image is behind a token that nobody gives",
      [
        ...at(1, "FROM r.io/mine:1"),
        "ERROR: failed to solve: failed to resolve source metadata for r.io/mine:1: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://r.io/token?scope=repository%3Amine%3Apull&service=r: 401 Unauthorized",
      ],
      {
        title: "api: the base image cannot be had",
        cause: /Dockerfile:1 starts from r\.io\/mine:1/,
      },
    ],
    [
      "when the registry's token service gives no right to push",
      [
        "ERROR: failed to solve: failed to fetch oauth token: unexpected status from GET request to https://r.io/token?scope=repository%3Ame%2Fapi%3Apull%2Cpush&service=r: 401 Unauthorized",
      ],
      {
        title: "api: the registry gives no right to the image",
        cause: /The scope that is missing is repository:me\/api:pull,push\.$/,
      },
    ],
    [
      "when the context lacks a file",
      [
        ...at(3, "COPY nope.txt /"),
        'ERROR: failed to build: failed to solve: failed to compute cache key: failed to calculate checksum of ref o33q::e3a1: "/nope.txt": not found',
      ],
      {
        title: "api: a file to copy is missing",
        cause: /Dockerfile:3: COPY nope\.txt \/ failed: the build context has no nope\.txt\.$/,
      },
    ],
    [
      "when a stage lacks a file",
      [
        ...at(3, "COPY --from=build /app/dist /"),
        'ERROR: failed to build: failed to solve: failed to compute cache key: failed to calculate checksum of ref o33q::e3a1: "/app/dist": not found',
      ],
      { title: "api: a file to copy is missing", cause: /failed: build has no \/app\/dist\.$/ },
    ],
    [
      "when BuildKit ends in the middle",
      [
        "ERROR: failed to build: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
      ],
      {
        title: "api: BuildKit broke off",
        cause: /cut off from buildx \(error reading from server: EOF\), and did not come back/,
      },
    ],
    [
      "when there is no such stage",
      [
        'ERROR: failed to build: failed to solve: target stage "zz" could not be found (did you mean a?)',
      ],
      {
        title: "api: the Dockerfile has no such stage",
        cause: /no stage "zz" \(did you mean a\?\)/,
      },
    ],
    [
      "when a secret is not given",
      ["ERROR: failed to build: failed to solve: secret tok: not found"],
      { title: "api: a secret is missing", cause: /asks for the secret tok/ },
    ],
    [
      "when the builder gives no such right",
      [
        "ERROR: failed to solve: granting entitlement security.insecure is not allowed by build daemon configuration",
      ],
      {
        title: "api: the builder does not grant security.insecure",
        cause: /asks for the right security\.insecure/,
      },
    ],
    [
      "when the builder's disk is full",
      ["ERROR: target s0: failed to solve: write /var/lib/x: no space left on device"],
      { title: "api: the builder's disk is full", cause: /no space left/ },
    ],
    [
      "when the runner's disk is full",
      ["ERROR: write /home/runner/.docker/buildx/refs/x: no space left on device"],
      { title: "The runner's disk is full", cause: /refs\/x: no space left/ },
    ],
    [
      "when buildx is too old",
      ["ERROR: invalid progress mode rawjson"],
      { title: "buildx is too old", cause: /rawjson/ },
    ],
    [
      "when there is no such builder",
      ['ERROR: no builder "nosuch" found'],
      { title: "There is no such builder", cause: /"nosuch"/ },
    ],
    [
      "when there is no Docker daemon",
      [
        "ERROR: failed to build: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
      ],
      { title: "BuildKit cannot be reached", cause: /unix:\/\/\/var\/run\/docker\.sock/ },
    ],
    [
      "when there is none, in newer words",
      [
        "ERROR: failed to build: failed to connect to the docker API at unix:///none; check if the path is correct and if the daemon is running",
      ],
      { title: "BuildKit cannot be reached", cause: /the Docker daemon at unix:\/\/\/none, which/ },
    ],
    [
      "when BuildKit does not answer",
      ["ERROR: failed to build: context deadline exceeded"],
      { title: "BuildKit cannot be reached", cause: /deadline/ },
    ],
    [
      "when the builder cannot attest",
      ["ERROR: failed to build: Attestation is not supported for the docker driver."],
      { title: "The builder cannot do it: attestation", cause: /not supported/ },
    ],
    [
      "in buildx's words otherwise",
      ["ERROR: odd"],
      { title: "api: the build failed", cause: /buildx says: odd\.$/ },
    ],
    ["even when buildx says nothing", [], { title: "api: the build failed", cause: /nothing/ }],
  ])("%s", (_, lines, { title, cause }) => {
    const failure = broken(...lines);
    expect(failure.title).toBe(title);
    expect(failure.cause).toMatch(cause);
    expect(failure.remedy).not.toBe("");
  });

  it.each<[string, Partial<FailedBuild>, string | RegExp]>([
    [
      "as that of the service that it is built on",
      { builtOn: "base", text: [...block, "ERROR: x"] },
      /^It is built on base: services\/api\/Dockerfile:8:/,
    ],
    [
      "with the words of what was run",
      {
        text: [...block, 'ERROR: process "x" did not complete successfully: exit code: 1'],
        failed: { name: "RUN x", error: "", output: ["a", "b"], lastWords: "b" },
      },
      /failed: exit code: 1\. Its last words: b$/,
    ],
    [
      "with what hides the file",
      {
        text: [
          ...at(3, "COPY a /"),
          'ERROR: failed to calculate checksum of ref a::b: "/a": not found',
        ],
        missing: "The file is there, and .dockerignore leaves it out.",
      },
      /has no a\. The file is there, and \.dockerignore leaves it out\.$/,
    ],
    [
      "with what a command had to say, and not by what stands in the command",
      {
        text: [
          ...at(2, "RUN x"),
          'ERROR: process "echo no space left on device SSH_AUTH_SOCK" did not complete successfully: exit code: 2',
        ],
      },
      "services/api/Dockerfile:2: RUN x failed: exit code: 2.",
    ],
    [
      "as a mistake in the Dockerfile",
      {
        text: [
          ...at(2, "FORM x"),
          "ERROR: dockerfile parse error on line 2: unknown instruction: FORM",
        ],
      },
      "services/api/Dockerfile:2: unknown instruction: FORM.",
    ],
  ])("%s", (_, parts, cause) => {
    expect(buildFailure(known(parts)).cause).toEqual(
      typeof cause === "string" ? cause : expect.stringMatching(cause),
    );
  });

  it.each([
    ["exec /bin/sh: exec format error", /other kind of processor|another kind of processor/],
    ["write /x: no space left on device", /disk is full/],
    ['runc run failed: exec: "/bin/sh": stat /bin/sh: no such file or directory', /has no shell/],
  ])("with what to do about: %s", (lastWords, remedy) => {
    const failed = { name: "RUN x", error: "", output: [lastWords], lastWords };
    const text = [...block, 'ERROR: process "x" did not complete successfully: exit code: 1'];
    expect(buildFailure(known({ text, failed })).remedy).toMatch(remedy);
  });

  it("with a guess at the memory where it was killed", () => {
    const text = [...block, 'ERROR: process "x" did not complete successfully: exit code: 137'];
    expect(buildFailure(known({ text })).remedy).toMatch(/memory/);
  });

  it("without an annotation where the Dockerfile is no file of the workspace", () => {
    const failure = buildFailure(known({ text: [...block, "ERROR: x"], annotated: false }));
    expect(failure.at).toBeUndefined();
  });

  it("with the line for the annotation, and the lines around it", () => {
    const failure = broken(...block, "ERROR: x");
    expect(failure.at).toEqual({ file: "services/api/Dockerfile", line: 8 });
    expect(failure.evidence).toContain('   8 | >>> RUN ["/nope"');
  });
});

describe("what to do about a failed push", () => {
  it.each([
    ["denied: permission_denied: write_package", /Grant the account that scope/],
    [
      "unexpected status from PUT request to http://r/v2/: 500 Internal Server Error",
      /fault is the registry's/,
    ],
    [
      "unexpected status from POST request to http://r/v2/: 507 Insufficient Storage: quota exceeded",
      /no room left/,
    ],
    [
      "unexpected status from HEAD request to http://r/v2/: 429 Too Many Requests",
      /limits how often/,
    ],
    [
      "unexpected status from PATCH request to http://r/v2/: 413 Request Entity Too Large",
      /no layer of that size/,
    ],
    [
      "unknown: The image tag '1' already exists and cannot be overwritten because the repository is immutable.",
      /give another one in the input tags/,
    ],
    [
      'failed to do request: Head "http://r:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
      /BuildKit can reach/,
    ],
    ["unknown: manifest invalid", /reached and refused it/],
  ])("%s", (why, remedy) => {
    const failure = broken(`ERROR: failed to build: failed to solve: failed to push r/x:1: ${why}`);
    expect(failure.remedy).toMatch(remedy);
  });
});
