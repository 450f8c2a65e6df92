import { describe, expect, it } from "@jest/globals";
import { composeFacts } from "../../../shared/bake-file/compose.ts";
import { placeOfTarget } from "../../../shared/bake-file/place.ts";
import { lastError, readError } from "../../../shared/bake-file/read-error.ts";

describe("what buildx does not tell of a compose file", () => {
  it("is which services are not built, and which belong to profiles", () => {
    const text =
      "services:\n  db: {image: x}\n  mq:\n  api: {build: .}\n  dev: {build: ., profiles: [tools, b]}\n  more: {extends: api}\n";
    expect(composeFacts(text, "compose.yaml").notes).toEqual([
      expect.stringMatching(
        /^compose\.yaml: dev is of the profile tools, b and is built all the same/,
      ),
      "compose.yaml: nothing to build for db, mq, without a build section",
    ]);
  });

  it("is what it leaves out of a build", () => {
    const build = {
      privileged: true,
      isolation: "hyperv",
      entitlements: ["security.insecure"],
      no_cache_filter: ["x"],
      ulimits: { nofile: 5, nproc: { soft: 1, hard: 2 } },
      secrets: ["a", { source: "b", target: "b" }, { source: "c", target: "d", mode: 256 }],
    };
    const { refusals } = composeFacts(
      JSON.stringify({ services: { "my.api": { build } } }),
      "c.yml",
    );
    expect(refusals.get("my_api")?.map(({ key }) => key)).toEqual([
      "build.privileged",
      "build.isolation",
      "build.entitlements",
      "build.no_cache_filter",
      "build.ulimits.nofile",
      "build.secrets.c.target",
      "build.secrets.c.mode",
    ]);
  });

  it("is the platform of a service", () => {
    const { platforms } = composeFacts("services: {a: {build: ., platform: linux/arm64}}", "c.yml");
    expect([...platforms]).toEqual([["a", "linux/arm64"]]);
  });

  it("is not looked for in what only a reader of compose files can read", () => {
    const text = "services:\n  a:\n    build: !reset null\n";
    expect(composeFacts(text, "c.yml").notes).toEqual([
      "c.yml: it was not searched for what buildx leaves out of builds",
    ]);
  });

  it.each(["", "[]", "services: []", "services: {a: 1, b: [2]}", "services: {a: {build: [1]}}"])(
    "is nothing in %j",
    (text) => {
      expect(() => composeFacts(text, "c.yml")).not.toThrow();
    },
  );
});

describe("the place of a target", () => {
  const hcl = {
    shown: "x.hcl",
    text: 'group "default" {}\n\ntarget "api-1" {\n}\n  target "api" {\n}',
  };
  const json = { shown: "x.json", text: '{"target": {\n  "api": {\n  }\n}}' };
  const yaml = {
    shown: "d/compose.yml",
    text: "x-api:\n  api: 1\nservices:\n  # the first\n  db:\n    image: api\n  my.api:\n    build: .\n",
  };
  it.each([
    [[hcl], "api", { file: "x.hcl", line: 5 }],
    [[json], "api", { file: "x.json", line: 2 }],
    [[json, hcl], "api-1", { file: "x.hcl", line: 3 }],
    [[yaml], "my_api", { file: "d/compose.yml", line: 7 }],
    [[yaml], "api", undefined],
    [[hcl], "web", undefined],
  ])("is where it is first written", (files, target, expected) => {
    expect(placeOfTarget(files, target)).toEqual(expected);
  });
});

describe("the words of buildx", () => {
  const files = [
    { shown: "docker/x.hcl", text: "a\nb\nc\nd\ne\nf" },
    { shown: "compose.yml", text: "services:\n  a:\n    build: [\n  c: d\n" },
  ];
  const hclOnly = files.slice(0, 1);

  it.each([
    [
      "ERROR: x.hcl:4,64-5,1: Unknown thing; It is unknown.",
      4,
      "docker/x.hcl:4: Unknown thing: It is unknown.",
    ],
    [
      "ERROR: docker/x.hcl:1,2-3: Missing value; It ends., and 3 other diagnostic(s)",
      1,
      "docker/x.hcl:1: Missing value: It ends; 3 more below.",
    ],
    ["noise\nERROR: /w/docker/x.hcl:2,1-1: Bad", 2, "docker/x.hcl:2: Bad."],
  ])("%j name a line", (stderr, line, cause) => {
    const error = readError(stderr, hclOnly);
    expect(error).toMatchObject({ cause, at: { file: "docker/x.hcl", line } });
    expect(error.evidence).toMatch(new RegExp(`^> +${line} \\| `, "m"));
  });

  it("name no line of a file that is no YAML; it is found", () => {
    const error = readError("ERROR: failed to parse : yaml: line 4: did not find", files);
    expect(error.at).toEqual({ file: "compose.yml", line: 4 });
    expect(error.cause).toMatch(/^compose\.yml:4: /);
  });

  it("are passed on where they name no line", () => {
    const [, compose] = [files[0], { shown: "c.yml", text: "services:\n  a:\n    build: {}\n" }];
    const said = "ERROR: services.a.build additional properties 'contxt' not allowed";
    expect(readError(said, [compose])).toMatchObject({
      cause: "buildx says of c.yml: services.a.build additional properties 'contxt' not allowed.",
      at: { file: "c.yml", line: 2 },
    });
  });

  it.each([
    [
      "ERROR: failed to convert agent config: make sure SSH_AUTH_SOCK is set",
      /wants the job's agent for ssh/,
      { file: "x.hcl", line: 2 },
    ],
    [
      "ERROR: failed to stat a/key: stat a/key: no such file or directory",
      /^x\.hcl takes a secret from the file a\/key, which is not there\.$/,
      { file: "x.hcl", line: 3 },
    ],
  ])("%j tell what is missing", (said, cause, at) => {
    const text = 'target "a" {\n  ssh = ["default"]\n  secret = ["id=k,src=a/key"]\n}\n';
    const error = readError(said, [{ shown: "x.hcl", text }]);
    expect(error.cause).toMatch(cause);
    expect(error.at).toEqual(at);
  });

  it("are the last lines where there is no error", () => {
    expect(lastError("a\n\npanic: x\n")).toBe("panic: x");
    expect(lastError("")).toBe("");
  });
});
