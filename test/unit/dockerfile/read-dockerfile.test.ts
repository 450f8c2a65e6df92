// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles.
import { describe, expect, it } from "@jest/globals";
import { type DockerfileOptions, readDockerfile } from "../../../shared/dockerfile/index.ts";

const lines = (...all: readonly string[]) => `${all.join("\n")}\n`;
const images = (text: string, options: DockerfileOptions = {}) =>
  readDockerfile(text, { platforms: ["linux/amd64"], ...options }).images.map(({ name }) => name);

describe("the images that a Dockerfile needs", () => {
  it.each<[string, string, DockerfileOptions, readonly string[]]>([
    ["one", "FROM node:24", {}, ["node:24"]],
    ["in small letters", "from node:24 as web", {}, ["node:24"]],
    ["none", "FROM scratch\nCOPY . /", {}, []],
    ["by digest", `FROM a@sha256:${"0".repeat(64)}`, {}, [`a@sha256:${"0".repeat(64)}`]],
    ["a stage", lines("FROM a AS x", "FROM x", "RUN b"), {}, ["a"]],
    ["a stage that is not needed", lines("FROM a AS x", "FROM b"), {}, ["b"]],
    ["the target's only", lines("FROM a AS x", "FROM b AS y"), { target: "x" }, ["a"]],
    ["the target in other letters", lines("FROM a AS Xx", "FROM b"), { target: "xX" }, ["a"]],
    ["copied from", lines("FROM scratch", "COPY --from=tools:1 /a /a"), {}, ["tools:1"]],
    [
      "copied from a stage by number",
      lines("FROM a", "FROM b", "COPY --from=0 / /"),
      {},
      ["a", "b"],
    ],
    [
      "copied from a stage by name",
      lines("FROM a AS X", "FROM b", "COPY --from=x / /"),
      {},
      ["a", "b"],
    ],
    ["mounted", lines("FROM a", "RUN --mount=type=bind,from=b,target=/b c"), {}, ["a", "b"]],
    [
      "mounted, of the last of two",
      lines("FROM a", "RUN --mount=type=cache,target=/c --mount=from=b,target=/b c"),
      {},
      ["a", "b"],
    ],
    [
      "mounted, in quotes",
      lines("FROM a", 'RUN --mount="type=bind,from=b,target=/b" c'),
      {},
      ["a", "b"],
    ],
    ["an argument's default", lines("ARG V=24", "FROM node:$V"), {}, ["node:24"]],
    [
      "a build argument",
      lines("ARG V=24", "FROM node:$V"),
      { buildArgs: { V: "22" } },
      ["node:22"],
    ],
    ["an argument of another", lines("ARG A=n", "ARG B=${A}ode", "FROM $B"), {}, ["node"]],
    ["several in one line", lines("ARG A=a B='b c' C=\"d\"", "FROM $A$C"), {}, ["ad"]],
    ["a default in braces", "FROM ${X:-node}:24", {}, ["node:24"]],
    ["a default for what is empty", "ARG X\nFROM ${X:-node}", { buildArgs: { X: "" } }, ["node"]],
    ["a default not for what is empty", "ARG X\nFROM a${X-node}", { buildArgs: { X: "" } }, ["a"]],
    ["another where it is set", "ARG X=1\nFROM node${X:+-slim}", {}, ["node-slim"]],
    ["the end cut off", "ARG V=24.1.2\nFROM node:${V%.*}", {}, ["node:24.1"]],
    ["a longer end cut off", "ARG V=24.1.2\nFROM node:${V%%.*}", {}, ["node:24"]],
    ["the beginning cut off", "ARG V=v24.1\nFROM node:${V#v}", {}, ["node:24.1"]],
    ["a piece replaced", "ARG V=24_1_2\nFROM node:${V//_/.}", {}, ["node:24.1.2"]],
    ["an undeclared build argument", "FROM a:${V:-1}", { buildArgs: { V: "2" } }, ["a:1"]],
    [
      "an argument declared in a stage",
      lines("FROM a AS s", "ARG V=2", "FROM b:${V:-1}"),
      {},
      ["b:1"],
    ],
    ["the platform", "FROM base:$TARGETARCH", { platforms: ["linux/arm64"] }, ["base:arm64"]],
    [
      "the platforms",
      "FROM base:$TARGETARCH",
      { platforms: ["linux/arm64", "linux/amd64"] },
      ["base:arm64", "base:amd64"],
    ],
    ["the variant", "FROM base:$TARGETVARIANT", { platforms: ["linux/arm/v6"] }, ["base:v6"]],
    ["a comment between", lines("FROM \\", "# c", "  a AS x"), {}, ["a"]],
    ["an empty line between", lines("FROM \\", "", "  a"), {}, ["a"]],
    ["another sign for the end of a line", lines("# escape=`", "FROM `", "a"), {}, ["a"]],
    ["line ends of another system", "FROM a\r\nCOPY --from=b / /\r\n", {}, ["a", "b"]],
    ["a mark of the byte order", "\uFEFFFROM a", {}, ["a"]],
    [
      "an instruction in a heredoc",
      lines("FROM a", "RUN <<EOF", "FROM b", "COPY --from=c / /", "EOF", "COPY --from=d / /"),
      {},
      ["a", "d"],
    ],
    [
      "two heredocs",
      lines("FROM a", "COPY <<A <<-B /x/", "FROM b", "A", "FROM c", "\tB", "COPY --from=d / /"),
      {},
      ["a", "d"],
    ],
    [
      "a heredoc in quotes",
      lines("FROM a", 'RUN <<"E F"', "FROM b", "E F", "COPY --from=d / /"),
      {},
      ["a", "d"],
    ],
    ["no heredoc in ENV", lines("FROM a", "ENV X=<<EOF", "COPY --from=d / /"), {}, ["a", "d"]],
    [
      "a shift that is no heredoc",
      lines("FROM a", "RUN echo $((1<<2))", "COPY --from=d / /"),
      {},
      ["a", "d"],
    ],
    ["an ONBUILD", lines("FROM a", "ONBUILD COPY --from=b / /"), {}, ["a", "b"]],
    ["a named context in place of an image", "FROM node", { contexts: ["node"] }, []],
    [
      "a named context by its long name",
      "FROM docker.io/library/node:latest",
      { contexts: ["node"] },
      [],
    ],
    ["a named context for another tag", "FROM node:24", { contexts: ["node"] }, ["node:24"]],
    [
      "a named context in place of a stage",
      lines("FROM a AS x", "FROM x"),
      { contexts: ["x"] },
      [],
    ],
    ["--from=scratch", lines("FROM a", "COPY --from=scratch / /"), {}, ["a"]],
  ])("%s", (_, text, options, expected) => {
    expect(images(text, options)).toEqual(expected);
  });

  it("are for the platforms they are needed for", () => {
    const text = lines("FROM --platform=$BUILDPLATFORM a AS x", "FROM b", "COPY --from=x / /");
    const options = { platforms: ["linux/arm64", "linux/arm/v7"], buildPlatform: "linux/amd64" };
    expect(readDockerfile(text, options).images).toEqual(
      [
        { name: "b", platforms: ["linux/arm64", "linux/arm/v7"], line: 2 },
        { name: "a", platforms: ["linux/amd64"], line: 1 },
      ].sort((a, b) => a.line - b.line),
    );
  });
});

describe("the frontend", () => {
  it.each([
    ["# syntax=docker/dockerfile:1\nFROM a", "docker/dockerfile:1"],
    ["#syntax = docker/dockerfile:1 \nFROM a", "docker/dockerfile:1"],
    ["# escape=`\n# syntax=docker/dockerfile:1.7-labs\nFROM a", "docker/dockerfile:1.7-labs"],
    ["# a comment\n# syntax=docker/dockerfile:1\nFROM a", undefined],
    ["\n# syntax=docker/dockerfile:1\nFROM a", undefined],
    ["FROM a\n# syntax=docker/dockerfile:1", undefined],
    [
      "#!/usr/bin/x\n# syntax=mirror.example/docker/dockerfile:1\nFROM a",
      "mirror.example/docker/dockerfile:1",
    ],
  ])("of %j", (text, frontend) => {
    const read = readDockerfile(text);
    expect(read.frontend).toBe(frontend);
    expect(read.unseen).toEqual([]);
    expect(read.images).toHaveLength(1);
  });

  it("is the one of the build argument", () => {
    const buildArgs = { BUILDKIT_SYNTAX: "docker/dockerfile:2" };
    expect(readDockerfile("# syntax=docker/dockerfile:1\nFROM a", { buildArgs }).frontend).toBe(
      "docker/dockerfile:2",
    );
  });

  it.each(["# syntax=r2d4/mockerfile\napiVersion: v1", "// syntax=a/b\n{}", '{"syntax": "a/b"}'])(
    "that is not Docker's may fetch anything: %j",
    (text) => {
      expect(readDockerfile(text).unseen).toHaveLength(1);
    },
  );
});

describe("what comes from the network", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  it.each([
    ["ADD https://example.com/a /a", true],
    ["ADD --chown=1:1 https://example.com/a /a", true],
    ['ADD ["https://example.com/a", "/a"]', true],
    [`ADD --checksum=sha256:${"0".repeat(64)} https://example.com/a /a`, false],
    ["ADD https://github.com/a/b.git#v1 /a", true],
    ["ADD git@github.com:a/b.git /a", true],
    [`ADD https://github.com/a/b.git#${commit} /a`, false],
    [`ADD https://github.com/a/b.git?ref=main&commit=${commit} /a`, false],
    ["ARG V=1\nADD https://example.com/$V /a", true],
    ["ARG U\nADD $U /a", true],
    ["ARG U=dir\nADD $U /a", false],
    ["ADD ./https /a", false],
    ["COPY a b /c", false],
    ["RUN apt-get update", false],
  ])("%j", (text, isUnseen) => {
    expect(readDockerfile(`FROM a\n${text}`).unseen.length > 0).toBe(isUnseen);
  });

  it("is told by its line, without a password", () => {
    const text = "FROM a\n\nADD https://user:word@example.com/a?token=x /a";
    expect(readDockerfile(text).unseen).toEqual([
      "line 3 fetches https://example.com/a from the network without a checksum",
    ]);
  });

  it("counts in needed stages only", () => {
    expect(readDockerfile("FROM a AS x\nADD https://example.com/a /a\nFROM b").unseen).toEqual([]);
  });
});

describe("the part of the context that is seen", () => {
  it.each<[string, DockerfileOptions, readonly string[] | undefined]>([
    ["RUN a", {}, []],
    ["COPY src ./package.json /app/", {}, ["package.json", "src"]],
    ["COPY src/ /app/", {}, ["src"]],
    ["COPY /src/../lib /app/", {}, ["lib"]],
    ["COPY ../../lib /app/", {}, ["lib"]],
    ['COPY ["a b", "c", "/d"]', {}, ["a b", "c"]],
    ["COPY package*.json ./", {}, ["package*.json"]],
    ["ADD a.tar /", {}, ["a.tar"]],
    ["COPY --chown=1:1 --link a /", {}, ["a"]],
    ["COPY . .", {}, undefined],
    ["COPY ./ /app", {}, undefined],
    ["COPY / /app", {}, undefined],
    ["COPY src/.. /app", {}, undefined],
    ["COPY --parents **/package.json /app", {}, undefined],
    ["COPY $DIR /app", {}, undefined],
    ["ARG DIR=src\nCOPY $DIR /app", {}, ["src"]],
    ["ENV DIR=src\nCOPY ${DIR}/a /app", {}, ["src/a"]],
    ["RUN --mount=type=bind,target=/src a", {}, undefined],
    ["RUN --mount=target=/src a", {}, undefined],
    ["RUN --mount=type=bind,source=go.mod,target=go.mod a", {}, ["go.mod"]],
    ["RUN --mount=type=cache,target=/c --mount=type=secret,id=s a", {}, []],
    ["RUN --mount=type=bind,from=b,source=/x,target=/x a", {}, []],
    ["COPY <<EOF /a\ntext\nEOF", {}, []],
    ["COPY --from=x src /app", {}, []],
    ["ONBUILD COPY . .", {}, undefined],
    ["COPY a /", { triggers: { base: ["COPY b /"] } }, ["a", "b"]],
    ["COPY a /", { triggers: { base: ["ADD . /"] } }, undefined],
    ["COPY a /", { contexts: ["base"] }, undefined],
    ["ARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nCOPY a /", {}, undefined],
  ])("of %j with %j", (text, options, paths) => {
    expect(readDockerfile(`FROM base\n${text}`, options).contextPaths).toEqual(paths);
  });

  it("holds what stages copy that are needed, and no others", () => {
    const text = lines("FROM a AS x", "COPY x /", "FROM a AS y", "COPY y /", "FROM x", "COPY z /");
    expect(readDockerfile(text).contextPaths).toEqual(["x", "z"]);
  });

  it("grows by what the ONBUILD lines of images need", () => {
    const triggers = { a: ["COPY --from=tools:1 /t /t", "ADD https://example.com/a /a"] };
    const read = readDockerfile("FROM a\nCOPY x /", { triggers });
    expect(read.images.map(({ name }) => name)).toEqual(["a", "tools:1"]);
    expect(read.unseen).toHaveLength(1);
    expect(read.bases).toEqual(["a"]);
  });
});

it("is not read of a stage that nobody needs", () => {
  expect(images(lines("FROM a", "ENV X=${y", "FROM b"))).toEqual(["b"]);
});

describe("secrets that are mounted", () => {
  it("are those of the needed stages", () => {
    const text = lines(
      "FROM a AS unused",
      "RUN --mount=type=secret,id=other b",
      "FROM a",
      "RUN --mount=type=secret,id=npm,required=true --mount=type=secret,id=pip,required=false \\",
      "  b",
      "RUN --mount=type=secret,target=/run/secrets/token,required b",
      "RUN --mount=type=secret,id=free b",
    );
    expect(readDockerfile(text).secrets).toEqual([
      { id: "npm", required: true, line: 4 },
      { id: "pip", required: false, line: 4 },
      { id: "token", required: true, line: 6 },
      { id: "free", required: undefined, line: 7 },
    ]);
  });
});

describe("what no build can succeed with", () => {
  it.each<[string, DockerfileOptions, number | undefined, RegExp]>([
    ["RUN a", {}, undefined, /no FROM/],
    ["", {}, undefined, /no FROM/],
    ["FROM a AS web\nFROM b AS api", { target: "wep" }, undefined, /no stage wep; it has web, api/],
    ["ARG X\nFROM $X", {}, 2, /\$X is empty/],
    ["FROM a\nRUN <<EOF\nx", {}, 2, /heredoc EOF has no end/],
    ["FROM a\nENV X=${y", {}, 2, /is missing/],
    ["FROM ${x?give x}", {}, 1, /give x/],
    ["FROM a b c", {}, 1, /FROM a b c/],
  ])("%j is an error with its line", (text, options, line, words) => {
    const read = () => readDockerfile(text, { file: "web/Dockerfile", ...options });
    expect(read).toThrow(words);
    try {
      read();
    } catch (error) {
      const at = line === undefined ? undefined : { file: "web/Dockerfile", line };
      expect(error).toMatchObject({ at });
    }
  });
});
