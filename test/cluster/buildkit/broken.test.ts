import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { type Endpoints, up } from "../../testbed/index.ts";
import { type Baked, Bakehouse, type Wanted } from "./bakehouse.ts";

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

/** What is said of a service that broke: where, and the cause. */
interface Told {
  readonly line?: number;
  readonly cause: RegExp;
  readonly remedy?: RegExp;
}

const BROKEN: readonly (readonly [string, () => Omit<Wanted, "name">, Told])[] = [
  [
    "a failing instruction",
    () => ({ dockerfileText: from("RUN sleep .2; echo out of luck >&2; exit 3") }),
    { line: 2, cause: /RUN sleep .* failed: exit code: 3\. Its last words: out of luck$/ },
  ],
  [
    "the same instruction on another line",
    () => ({ dockerfileText: from("#", "#", "RUN sleep .2; echo out of luck >&2; exit 3") }),
    { line: 4, cause: /failed: exit code: 3/ },
  ],
  [
    "an instruction that fails in the same moment",
    () => ({ dockerfileText: from("RUN sleep .2; echo no way >&2; exit 4") }),
    { line: 2, cause: /failed: exit code: 4\. Its last words: no way$/ },
  ],
  [
    "an unknown instruction",
    () => ({ dockerfileText: from("FORM scratch") }),
    { line: 2, cause: /:2: unknown instruction: FORM \(did you mean FROM\?\)\.$/ },
  ],
  [
    "an instruction without its arguments",
    () => ({ dockerfileText: from("COPY x") }),
    { line: 2, cause: /COPY requires at least two arguments/ },
  ],
  [
    "no instruction",
    () => ({ dockerfileText: "#\n" }),
    { line: 1, cause: /has no instruction\.$/ },
  ],
  ["no Dockerfile", () => ({ files: { x: "" } }), { cause: /open Dockerfile: no such file/ }],
  [
    "no such stage",
    () => ({ dockerfileText: from(), target: "biuld" }),
    { cause: /has no stage "biuld"/ },
  ],
  [
    "no such base image",
    () => ({ dockerfileText: `FROM ${bed.registry}/not/there:1\nRUN true\n` }),
    { line: 1, cause: /starts from .*not\/there:1: .*not found\.$/ },
  ],
  [
    "a misspelt file",
    () => ({ dockerfileText: from("COPY src/pakage.json /"), files: { "src/package.json": "" } }),
    { line: 2, cause: /has no src\/pakage\.json\. Did you mean src\/package\.json\?$/ },
  ],
  [
    "a file that is ignored",
    () => ({
      dockerfileText: from("COPY a.txt /"),
      files: { "a.txt": "", ".dockerignore": "*.txt" },
    }),
    { line: 2, cause: /The file is there, and line 1 of \.dockerignore leaves it out: \*\.txt$/ },
  ],
  [
    "a download that is not there",
    () => ({ dockerfileText: from(`ADD \\`, `  http://${bed.registry}/nothing.tar /`) }),
    { line: 2, cause: /ADD http.* failed: .*404/ },
  ],
  [
    "another checksum",
    () => ({
      dockerfileText: from(`ADD --checksum=sha256:${"a".repeat(64)} http://${bed.registry}/v2/ /x`),
    }),
    { line: 2, cause: /gave sha256:[0-9a-f]{64}, not sha256:a{64}\.$/ },
  ],
  [
    "a program for another processor",
    () => ({
      dockerfileText: "FROM scratch\nCOPY --chmod=755 other /bin/sh\nRUN true\n",
      files: { other: "\u007fELF\u0002\u0001\u0001 not for here" },
    }),
    { line: 3, cause: /exec format error$/, remedy: /setup-qemu-action/ },
  ],
  [
    "no shell",
    () => ({ dockerfileText: "FROM scratch\nRUN true\n" }),
    { line: 2, cause: /stat \/bin\/sh: no such file/, remedy: /no shell/ },
  ],
  [
    "a mounted secret that is required",
    () => ({ dockerfileText: from("RUN --mount=type=secret,id=tok,required=true true") }),
    { line: 2, cause: /asks for the secret tok, and this service gives none/ },
  ],
  [
    "a secret's file that is gone",
    () => ({ dockerfileText: from(), secrets: [{ id: "a", file: "/not/there" }] }),
    { cause: /\/not\/there: no such file or directory/ },
  ],
  [
    "an SSH agent that does not run",
    () => ({ dockerfileText: from(), ssh: [{ id: "default", paths: [] }] }),
    { cause: /SSH_AUTH_SOCK is not set/ },
  ],
  [
    "being built on what is broken",
    () => ({ dockerfileText: "FROM base\n", contexts: { base: "target:a failing instruction" } }),
    { line: 2, cause: /^It is built on a failing instruction: .* failed: exit code: 3/ },
  ],
  [
    "a Git repository that cannot be had",
    () => ({ dockerfileText: from("ADD https://127.0.0.1:1/a/b.git#main /x") }),
    { line: 2, cause: /needs https:\/\/127\.0\.0\.1:1\/a\/b\.git: / },
  ],
];

describe("one run tells of every broken service", () => {
  let baked: Baked;

  beforeAll(async () => {
    process.env.SSH_AUTH_SOCK = "";
    const repository = house.repository("broken");
    const wanted = BROKEN.map(([name, parts]) => ({ name, repository, ...parts() }));
    const sound = { dockerfileText: from("RUN sleep .5; echo sound > /x"), repository };
    baked = await house.bake([
      { name: "sound", ...sound },
      ...wanted,
      { name: "sound too", ...sound },
    ]);
  });

  it("and builds the others", () => {
    for (const name of ["sound", "sound too"]) {
      expect(baked.results[name]?.failure).toBeUndefined();
      expect(baked.results[name]?.digest).toMatch(/^sha256:/);
    }
  });

  it.each(BROKEN)("%s", (name, _, { line, cause, remedy }) => {
    const { failure, digest } = baked.results[name] ?? {};
    expect(failure?.cause).toMatch(cause);
    expect(failure?.at?.line).toBe(line);
    if (remedy !== undefined) expect(failure?.remedy).toMatch(remedy);
    expect(digest).toBeUndefined();
  });

  it("in two rounds at most", () => {
    for (const { attempts } of Object.values(baked.results))
      expect(attempts).toBeLessThanOrEqual(2);
  });
});
