import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { annotationsFor, asLiteral, labelsFor } from "../../../shared/image-tags/index.ts";
import { on, SHA } from "./event.ts";

const OCI = "org.opencontainers.image";
const main = on("refs/heads/main");
const HEAD = "1".repeat(40);
const built = { seconds: 1_577_836_798, commit: HEAD };

describe("labels", () => {
  test("tell of the repository and of the commit, apart", () => {
    const labels = labelsFor({ version: "1.2.3", given: {} }, main);
    expect(labels.problems).toEqual([]);
    expect(labels.stable).toEqual({
      [`${OCI}.title`]: "hello",
      [`${OCI}.url`]: "https://github.com/octocat/hello",
      [`${OCI}.source`]: "https://github.com/octocat/hello",
    });
    expect(labels.ofCommit(built)).toEqual({
      [`${OCI}.description`]: "Says hello",
      [`${OCI}.licenses`]: "MIT",
      [`${OCI}.revision`]: HEAD,
      [`${OCI}.version`]: "1.2.3",
      [`${OCI}.created`]: "2019-12-31T23:59:58Z",
    });
  });

  test("the event's commit counts where none is checked out", () => {
    const labels = labelsFor({ version: undefined, given: {} }, main);
    const texts = labels.ofCommit({ seconds: 0, commit: undefined });
    expect(texts[`${OCI}.revision`]).toBe(SHA);
    expect(texts).not.toHaveProperty([`${OCI}.version`]);
  });

  test("of the user go before, and an empty one leaves out", () => {
    const given = {
      [`${OCI}.title`]: "Cart",
      [`${OCI}.url`]: "",
      [`${OCI}.revision`]: "",
      [`${OCI}.description`]: "Carts",
      maintainer: "",
    };
    const labels = labelsFor({ version: "v1", given }, main);
    expect(labels.stable).toEqual({
      [`${OCI}.title`]: "Cart",
      [`${OCI}.source`]: "https://github.com/octocat/hello",
      [`${OCI}.description`]: "Carts",
      maintainer: "",
    });
    expect(Object.keys(labels.ofCommit(built))).toEqual([
      `${OCI}.licenses`,
      `${OCI}.version`,
      `${OCI}.created`,
    ]);
  });

  test("with expressions depend on the commit", () => {
    const given = { "com.example.built": "{{branch}}-{{sha}} {{commit_date 'YYYY'}}", fixed: "x" };
    const labels = labelsFor({ version: "v1", given }, main);
    expect(labels.stable).toMatchObject({ fixed: "x" });
    expect(labels.stable).not.toHaveProperty(["com.example.built"]);
    expect(labels.ofCommit(built)).toMatchObject({ "com.example.built": "main-90dd603 2019" });
  });

  test("that are wrong are all told", () => {
    const given = { "a b": "x", c: "{{brunch}}", d: "{{date 'LT'}}" };
    const { problems } = labelsFor({ version: undefined, given }, main);
    expect(problems).toEqual([
      { where: "a b", problem: "a name has no white space" },
      { where: "c", problem: expect.stringContaining("did you mean {{branch}}?") },
      { where: "d", problem: expect.stringContaining("not known here") },
    ]);
  });
});

test("a text that is meant as it stands is left so, braces and all", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("{", "}", "{{", "}}", "sha", "'", '"', " ")), (parts) => {
      const text = parts.join("");
      const { stable, problems } = labelsFor({ version: "", given: { a: asLiteral(text) } }, main);
      expect({ problems, a: stable.a }).toEqual({ problems: [], a: text });
    }),
  );
});

test("annotations are those of the user alone, at levels that exist", () => {
  const given = {
    "index:a": "x",
    "manifest[linux/amd64],index:b": "{{sha}}",
    "idx:c": "y",
    d: "z",
  };
  const { stable, ofCommit, problems } = annotationsFor(given, main);
  expect(stable).toEqual({ "index:a": "x", "idx:c": "y", d: "z" });
  expect(ofCommit(built)).toEqual({ "manifest[linux/amd64],index:b": "90dd603" });
  expect(problems).toEqual([{ where: "idx:c", problem: expect.stringContaining("no level idx") }]);
});
