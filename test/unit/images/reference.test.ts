import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  imageNameProblem,
  isDigest,
  isLoopback,
  normalPlatform,
  parseRegistry,
  platformProblem,
  repositoryBelow,
  tagProblem,
} from "../../../shared/images/index.ts";

describe("a registry as users write it", () => {
  it.each([
    ["ghcr.io/owner", { host: "ghcr.io", path: "owner" }],
    ["ghcr.io/Owner/Repo/", { host: "ghcr.io", path: "owner/repo" }],
    ["127.0.0.1:5000", { host: "127.0.0.1:5000", path: "" }],
    ["localhost/a", { host: "localhost", path: "a" }],
    ["registry:5000/team", { host: "registry:5000", path: "team" }],
    ["[::1]:5000/a", { host: "[::1]:5000", path: "a" }],
    ["docker.io/me", { host: "docker.io", path: "me" }],
    ["index.docker.io/me", { host: "docker.io", path: "me" }],
    ["eu-west1-docker.pkg.dev/p_1/a-b", { host: "eu-west1-docker.pkg.dev", path: "p_1/a-b" }],
  ])("reads %s", (text, expected) => {
    expect(parseRegistry(text)).toEqual(expected);
  });

  it.each([
    ["https://ghcr.io/owner", /protocol/],
    ["owner", /docker\.io/],
    ["ghcr.io/a//b", /part of a path/],
    ["ghcr.io/a b", /part of a path/],
    ["ghcr.io/;$(touch x)", /part of a path/],
    ["ghcr.io:99999/a", /no host/],
    ["ghcr.io:0/a", /no host/],
    ["-x.io/a", /no host/],
    ["ghcr.io/\n::set-output name=a::b", /part of a path/],
  ])("refuses %j", (text, expected) => {
    expect(parseRegistry(text)).toEqual({ problem: expect.stringMatching(expected) });
  });
});

describe("the name of an image", () => {
  it.each(["api", "a/b", "a.b_c__d-e---f", "0"])("may be %s", (name) => {
    expect(imageNameProblem(name)).toBeUndefined();
  });

  it.each(["", "-a", "a-", "a..b", "a___b", "/a", "a/", "a b", "a;$(x)", "--push", "ä", "a\nb"])(
    "may not be %j",
    (name) => {
      expect(imageNameProblem(name)).toMatch(/made of/);
    },
  );

  it("is suggested in small letters", () => {
    expect(imageNameProblem("Api")).toMatch(/write api/);
  });

  it("is bounded together with the registry", () => {
    const registry = { host: "ghcr.io", path: "owner" };
    expect(repositoryBelow(registry, "api")).toEqual({ host: "ghcr.io", path: "owner/api" });
    expect(repositoryBelow(registry, "a".repeat(241))).toHaveProperty("path");
    expect(repositoryBelow(registry, "a".repeat(242))).toEqual({
      problem: expect.stringMatching(/256/),
    });
  });
});

describe("a tag", () => {
  it.each(["1", "v1.2.3", "_x", "A-b.c", "a".repeat(128)])("may be %s", (tag) => {
    expect(tagProblem(tag)).toBeUndefined();
  });

  it.each(["", ".a", "-a", "a b", "a:b", "a/b", "$(x)", "a\nb", "a".repeat(129)])(
    "may not be %j",
    (tag) => {
      expect(tagProblem(tag)).toEqual(expect.any(String));
    },
  );

  it("that is accepted holds nothing that a shell or a runner acts on", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (tag) => {
        if (tagProblem(tag) === undefined) expect(tag).toMatch(/^\w[\w.-]*$/);
      }),
    );
  });
});

it.each([
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["linux/amd64/v1", "linux/amd64"],
  ["linux/amd64/v3", "linux/amd64/v3"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm", "linux/arm/v7"],
  ["linux/arm/v6", "linux/arm/v6"],
])("the platform %s means %s", (text, expected) => {
  expect(platformProblem(text)).toBeUndefined();
  expect(normalPlatform(text)).toBe(expected);
});

it.each([
  ["linux/amd46", "there is no architecture amd46; did you mean amd64?"],
  ["linux/sparc", expect.stringMatching(/^there is no architecture sparc; known are 386, amd64/)],
  ["linx/arm64", "there is no system linx; did you mean linux?"],
])("the platform %s is one that nobody has", (text, problem) => {
  expect(platformProblem(text)).toEqual(problem);
});

it.each(["linux", "amd64/", "linux/amd64/v1/x", "linux/amd64,linux/arm64", "Linux/amd64", ""])(
  "%j is no platform",
  (text) => {
    expect(platformProblem(text)).toBe("write it as linux/amd64");
  },
);

it.each([
  ["127.0.0.1:5000", true],
  ["127.1.2.3", true],
  ["localhost:80", true],
  ["[::1]:5000", true],
  ["127.0.0.1.example.org", false],
  ["localhost.example.org", false],
  ["10.0.0.1:5000", false],
])("%s is on this machine: %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

it("takes sha256 digests only", () => {
  expect(isDigest(`sha256:${"a".repeat(64)}`)).toBe(true);
  expect(isDigest(`sha256:${"a".repeat(63)}`)).toBe(false);
  expect(isDigest(`sha512:${"a".repeat(128)}`)).toBe(false);
});
