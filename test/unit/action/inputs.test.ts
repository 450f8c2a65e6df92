import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  bytes,
  choice,
  duration,
  type Field,
  flag,
  integer,
  list,
  pairs,
  parseInputs,
  text,
  words,
  yaml,
} from "../../../shared/action/index.ts";
import { secretsAmong } from "../../../shared/action/inputs.ts";
import { UserError } from "../../../shared/failure/index.ts";

const inputs = {
  "release-name": text({ required: true, accepts: "a DNS label" }, /^[a-z][a-z0-9-]*$/),
  chart: text({ required: true }),
  strategy: choice(["rolling", "recreate"], { default: "rolling" }),
  replicas: integer({ min: 1, max: 9 }, { default: "3" }),
  timeout: duration({ min: 1_000, max: 3_600_000 }, { default: "5m" }),
  atomic: flag({ default: "true" }),
  namespaces: list({}, /^[a-z]+$/),
  set: pairs({ default: "" }),
  token: text({ secret: true }, /^t-/),
};

/** The failure of inputs given by their names. */
function failureOf(given: Readonly<Record<string, string>>): UserError | undefined {
  const variables = Object.entries(given).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  try {
    parseInputs(inputs, Object.fromEntries(variables));
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

const right = { "release-name": "web", chart: "./chart" };

describe("inputs that are right", () => {
  it("become typed options with their defaults", () => {
    const environment = {
      "INPUT_RELEASE-NAME": " web\n",
      INPUT_CHART: "./chart",
      INPUT_SET: "A=b=c",
    };
    expect(parseInputs(inputs, environment)).toEqual({
      releaseName: "web",
      chart: "./chart",
      strategy: "rolling",
      replicas: 3,
      timeout: 300_000,
      atomic: true,
      set: { A: "b=c" },
    });
  });
});

describe("inputs that are wrong", () => {
  it("are told all at once, each with what it got and what is accepted", () => {
    const failure = failureOf({
      "release-nam": "web",
      chart: "  ",
      strategy: "recreat",
      replicas: "many",
      timeout: "90",
      atomic: "yes",
      namespaces: "a, B\nC-",
      set: "x\ny",
      token: "wrong-secret",
    });
    expect(failure?.title).toBe("10 inputs are wrong");
    expect(failure?.cause.split("\n")).toEqual([
      "release-nam: there is no such input; did you mean release-name?",
      "release-name: it is required; accepted is a DNS label.",
      "chart: it is required; accepted is any text.",
      'strategy: got "recreat"; did you mean recreate?; accepted is one of rolling, recreate.',
      'replicas: got "many"; it is not a whole number; accepted is a whole number from 1 to 9.',
      'timeout: got "90"; the unit is missing; accepted is a duration such as 90s, 5m or 1h30m, from 1s to 1h.',
      'atomic: got "yes"; it is neither; accepted is true or false.',
      'namespaces: got "a, B\\nC-"; the form is another in "B", "C-"; accepted is texts, one a line or separated by commas.',
      'set: got "x\\ny"; NAME= is missing in "x", "y"; accepted is lines of the form NAME=value.',
      "token: got a secret value; it is not acceptable; accepted is text of the form ^t-.",
    ]);
    expect(failure?.remedy).toContain("The inputs are release-name, chart,");
  });

  it("that resemble no input are told of beside other problems only", () => {
    expect(failureOf({ ...right, "something-else": "x" })).toBeUndefined();
    const failure = failureOf({ "release-name": "web", "something-else": "x" });
    expect(failure?.cause).toBe("chart: it is required; accepted is any text.");
    expect(failure?.remedy).toContain("Given, but no input: something-else.");
  });

  it("are quoted so that they cannot pass for another problem", () => {
    const failure = failureOf({ ...right, replicas: "1\nchart: it is required" });
    expect(failure?.cause.split("\n")).toHaveLength(1);
    const odd = failureOf({ ...right, "char\nt": "x" });
    expect(odd?.cause).toBe('"char\\nt": there is no such input; did you mean chart?');
  });

  it("are cut where they are long", () => {
    const failure = failureOf({ ...right, replicas: "x".repeat(10_000) });
    expect(failure?.cause.length).toBeLessThan(300);
  });

  it("never show a secret, nor a part of it", () => {
    const secret = `${"s3cr3t-".repeat(40)}end`;
    expect(failureOf({ ...right, token: secret })?.message).not.toContain("s3cr3t-");
    const environment = { "INPUT_RELEASE-NAME": "web", INPUT_CHART: "c", INPUT_REPLICAS: secret };
    const redact = (given: string) => given.replaceAll(secret, "***");
    expect(() => parseInputs(inputs, environment, redact)).toThrow(/got "\*\*\*"/);
  });

  it("are each either an option or a problem, whatever was given", () => {
    const given = fc.dictionary(
      fc.constantFrom(...Object.keys(inputs)),
      fc.oneof(fc.string(), fc.constantFrom("5m", "3", "true", "web", "A=b", "a,b", "t-1")),
    );
    fc.assert(
      fc.property(given, (values) => {
        const wrong = Object.entries(inputs).filter(
          ([name, field]) => !isRight(values[name], field),
        );
        const failure = failureOf(values);
        const told = failure?.cause.split("\n").map((line) => line.split(":")[0]) ?? [];
        expect(told).toEqual(wrong.map(([name]) => name));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** Whether one input alone is acceptable. */
function isRight(value: string | undefined, field: Field<unknown>): boolean {
  const raw = value?.trim() || field.default;
  if (raw === undefined) return !field.required;
  try {
    field.parse(raw);
    return true;
  } catch {
    return false;
  }
}

describe("secrets among the inputs", () => {
  it("are those of the fields that say so, also when they are wrong", () => {
    expect(secretsAmong(inputs, { INPUT_TOKEN: " wrong ", INPUT_CHART: "c" })).toEqual(["wrong"]);
    const parts = { config: text({ secretsIn: (raw) => raw.split(",") }) };
    expect(secretsAmong(parts, { INPUT_CONFIG: "a,b" })).toEqual(["a", "b"]);
  });
});

describe("fields", () => {
  const accepted = <T>(field: Field<T>, cases: readonly (readonly [string, T])[]) => {
    for (const [raw, value] of cases) expect([raw, field.parse(raw)]).toEqual([raw, value]);
  };
  const refused = (field: Field<unknown>, raws: readonly string[]) => {
    for (const raw of raws) expect(() => field.parse(raw)).toThrow();
  };

  it("duration", () => {
    const field = duration({ min: 0, max: 86_400_000 }, { required: true });
    accepted(field, [
      ["90s", 90_000],
      ["1h30m", 5_400_000],
      ["500ms", 500],
      ["1.5m", 90_000],
      ["0.1ms", 0],
      ["0s", 0],
    ]);
    refused(field, ["", "5", "5 m", "-5m", "m", "25h", "5m!", "1e3s", "٣s"]);
  });

  it("bytes", () => {
    const field = bytes({ min: 1_024, max: 2 ** 40 }, { required: true });
    accepted(field, [
      ["2Gi", 2 ** 31],
      ["1.5Ki", 1_536],
      ["500M", 500_000_000],
      ["1024", 1_024],
    ]);
    refused(field, ["", "much", "1023", "2Ti", "2 Gi", "-2Gi", "2gi", "2GiB", "1e4", "500m"]);
  });

  it("integer", () => {
    const field = integer({ min: -2, max: 5 }, { required: true });
    accepted(field, [
      ["3", 3],
      ["-2", -2],
      ["+05", 5],
    ]);
    refused(field, ["", "3.0", "0x1", "1e0", "6", "-3", "99999999999999999999", "NaN"]);
  });

  it("list", () => {
    const field = list({ required: true });
    accepted(field, [
      ["a", ["a"]],
      ["a, b,\n c\r\n\r\nd", ["a", "b", "c", "d"]],
    ]);
    refused(field, [",", " ,\n,"]);
    accepted(list({ default: "" }), [["", []]]);
  });

  it("words", () => {
    const field = words({ required: true }, /^[^/]+\/[^/]+$/);
    accepted(field, [
      [
        "deployment/web statefulset/db,\n job/migrate",
        ["deployment/web", "statefulset/db", "job/migrate"],
      ],
    ]);
    refused(field, ["deployment/web db", " , "]);
  });

  it("a form with flags that remember is not remembered", () => {
    const field = text({ required: true }, /^[a-z]+$/g);
    accepted(field, [
      ["abc", "abc"],
      ["abc", "abc"],
    ]);
  });

  it("pairs", () => {
    const field = pairs({ required: true });
    accepted(field, [["A = b \n\nC=", { A: "b", C: "" }]]);
    expect(Object.keys(field.parse("__proto__=x"))).toEqual(["__proto__"]);
    refused(field, ["A", "=b", "A=1\nA=2"]);
  });

  it("yaml", () => {
    const field = yaml<{ required: true }, { a: number }>(
      {
        safeParse: (value) =>
          typeof (value as { a?: unknown })?.a === "number"
            ? { success: true, data: value as { a: number } }
            : { success: false, error: { issues: [{ path: ["a"], message: "is no number" }] } },
      },
      { required: true },
    );
    accepted(field, [
      ["a: 1", { a: 1 }],
      ['{"a":2}', { a: 2 }],
    ]);
    expect(() => field.parse("a: x")).toThrow("a: is no number");
    expect(() => field.parse("a: [")).toThrow(/^it cannot be read: [^\n]*$/);
  });
});
