import { expect, it, describe as suite } from "@jest/globals";
import fc from "fast-check";
import {
  codeOf,
  describe,
  nearestName,
  stackOf,
  UserError,
} from "../../../shared/failure/index.ts";

const withCode = (message: string, code: string) => Object.assign(new Error(message), { code });

function circle(): Error {
  const error = new Error("round");
  error.cause = error;
  return error;
}

const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error("no");
    },
    getPrototypeOf() {
      throw new Error("no");
    },
    ownKeys() {
      throw new Error("no");
    },
  },
);

suite("describe", () => {
  it.each<[string, unknown, string]>([
    ["an error", new Error("plain"), "plain"],
    ["an error without words", new TypeError(), "TypeError"],
    ["an error with a code alone", withCode("", "ECONNRESET"), "ECONNRESET"],
    [
      "an error with a cause",
      new TypeError("fetch failed", {
        cause: withCode("connect ECONNREFUSED ::1:80", "ECONNREFUSED"),
      }),
      "fetch failed: connect ECONNREFUSED ::1:80",
    ],
    ["a cause that is text", new Error("outer", { cause: "inner" }), "outer: inner"],
    ["a cause told already", new Error("a: b", { cause: new Error("b") }), "a: b"],
    [
      "several errors",
      new AggregateError([new Error("to ::1"), new Error("to 127.0.0.1"), new Error("to ::1")]),
      "to ::1; to 127.0.0.1",
    ],
    [
      "several errors with words",
      new AggregateError([new Error("x")], "all failed"),
      "all failed: x",
    ],
    ["a failure", new UserError({ title: "T", cause: "C.", remedy: "R." }), "T: C. R."],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["an object", {}, "{}"],
    ["an object with fields", { code: 5 }, '{"code":5}'],
    ["text", "just text", "just text"],
    ["a number", 7, "7"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["a big number", 7n, "7"],
    ["what throws when it is looked at", hostile, "an error that cannot be described"],
  ])("%s", (_, thrown, expected) => {
    expect(describe(thrown)).toBe(expected);
  });

  it("comes to an end with an error that is its own cause", () => {
    expect(describe(circle())).toBe("round");
    expect(codeOf(circle())).toBeUndefined();
    expect(stackOf(circle())).toContain("round");
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (thrown) => {
        expect(typeof describe(thrown)).toBe("string");
        expect(typeof stackOf(thrown)).toBe("string");
        codeOf(thrown);
      }),
    );
  });
});

suite("codeOf", () => {
  it("finds the system's code within causes and groups", () => {
    expect(codeOf(new Error("a", { cause: withCode("b", "EPIPE") }))).toBe("EPIPE");
    expect(codeOf(new AggregateError([withCode("b", "ECONNREFUSED")]))).toBe("ECONNREFUSED");
    expect(codeOf({ code: 404 })).toBeUndefined();
  });
});

suite("nearestName", () => {
  const known = ["release-name", "namespace", "chart", "kubeconfig", "wait", "timeout"];
  it.each([
    ["relase-name", "release-name"],
    ["release_name", "release-name"],
    ["namespcae", "namespace"],
    ["CHART", "chart"],
    ["kube-config", "kubeconfig"],
    ["wiat", "wait"],
    ["xyz", undefined],
    ["", undefined],
    ["region", undefined],
  ])("%s -> %s", (misspelt, expected) => {
    expect(nearestName(misspelt, known)).toBe(expected);
  });

  it("of a known name is itself", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z-]{1,12}$/), { minLength: 1 }),
        (names) => {
          for (const name of names) expect(nearestName(name, names)).toBe(name);
        },
      ),
    );
  });
});
