import { describe, expect, it } from "@jest/globals";
import { inputs } from "../../../actions/smoke-test/inputs.ts";
import { checksOf } from "../../../actions/smoke-test/plan.ts";
import { parseInputs } from "../../../shared/action/index.ts";
import { UserError } from "../../../shared/failure/index.ts";

type Given = Readonly<Record<string, string>>;

function parse(given: Given) {
  const entries = Object.entries(given).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  return parseInputs(inputs, Object.fromEntries(entries));
}

function problemsOf(given: Given): string {
  try {
    parse(given);
  } catch (error) {
    if (error instanceof UserError) return error.cause;
    throw error;
  }
  return "";
}

describe("the short form", () => {
  it("is one check of / for any success", () => {
    expect(checksOf(parse({ url: "http://a.test" }))).toMatchObject([
      {
        name: "GET /",
        method: "GET",
        path: "/",
        headers: {},
        followRedirects: false,
        expectation: { status: [{ from: 200, to: 299 }] },
      },
    ]);
  });

  it("takes path, status, headers and redirects from the inputs", () => {
    const options = parse({
      path: "/health?x=1",
      status: "200,204",
      headers: "Accept: a/b\nX-Token:  t: u ",
      "follow-redirects": "true",
    });
    expect(checksOf(options)).toMatchObject([
      {
        path: "/health?x=1",
        headers: { accept: "a/b", "x-token": "t: u" },
        followRedirects: true,
        expectation: {
          status: [
            { from: 200, to: 200 },
            { from: 204, to: 204 },
          ],
        },
      },
    ]);
  });
});

describe("checks", () => {
  it("keep what they say and inherit what they do not", () => {
    const checks = "[{path: /a, status: 404, headers: {X-A: 2}}, {}]";
    const options = parse({ checks, path: "/d", headers: "x-a: 1\nx-b: 1", status: "2xx" });
    expect(checksOf(options)).toMatchObject([
      { path: "/a", headers: { "x-a": "2", "x-b": "1" }, expectation: { status: [{ from: 404 }] } },
      { path: "/d", headers: { "x-a": "1", "x-b": "1" }, expectation: { status: [{ from: 200 }] } },
    ]);
  });

  it.each<[string, unknown]>([
    [
      "[{request-body: {a: 1}}]",
      { method: "POST", body: '{"a":1}', headers: { "content-type": "application/json" } },
    ],
    ["[{request-body: hi, method: put}]", { method: "PUT", body: "hi", headers: {} }],
    ["[{request-body: [1], headers: {content-type: x/y}}]", { headers: { "content-type": "x/y" } }],
    ["[{body: a}]", { expectation: { body: { contains: ["a"], matches: [] } } }],
    ["[{body: [a, 1]}]", { expectation: { body: { contains: ["a", "1"] } } }],
    [
      "[{body: {equals: a, matches: [b, c]}}]",
      { expectation: { body: { equals: "a", matches: [/b/u, /c/u] } } },
    ],
    [
      "[{json: {$.a: 2024-01-01, $.b: null}}]",
      {
        expectation: {
          json: [
            { path: ["a"], expected: "2024-01-01" },
            { path: ["b"], expected: null },
          ],
        },
      },
    ],
    ["[{max-latency: 1m30s}]", { expectation: { maxLatency: 90_000 } }],
    [
      "[{response-headers: {X-V: 1}}]",
      { expectation: { headers: { "x-v": { contains: ["1"] } } } },
    ],
    ['[{"name": "json too"}]', { name: "json too" }],
  ])("%s", (checks, expected) => {
    expect(checksOf(parse({ checks }))[0]).toMatchObject(expected as object);
  });
});

describe("what is wrong", () => {
  it.each<[Given, RegExp[]]>([
    [{ checks: "[{statsu: 200}]" }, [/check 1: there is no key "statsu"; did you mean status\?/]],
    [{ checks: "[{zzzzzz: 200}]" }, [/there is no key "zzzzzz"; known are name, method, path/]],
    [{ checks: "{path: /}" }, [/a list of 1 to 100 checks, each starting with a dash/]],
    [{ checks: "[]" }, [/a list of 1 to 100/]],
    [{ checks: "[/a]" }, [/check 1: it must be a mapping/]],
    [{ checks: "[{]" }, [/checks: .*it cannot be read/]],
    [
      { checks: "[{}, {method: GTE}]" },
      [/check 2, method: "GTE" is no method; did you mean GET\?/],
    ],
    [{ checks: "[{path: a}]" }, [/check 1, path: it must start with a slash/]],
    [{ checks: '[{path: "/a\\r\\nX: y"}]' }, [/must be percent-encoded/]],
    [{ checks: "[{status: 2000}]" }, [/check 1, status: "2000" is no status/]],
    [
      { checks: '[{body: {matches: "("}}]' },
      [/check 1, body, matches: Invalid regular expression/],
    ],
    [{ checks: "[{body: {contain: a}}]" }, [/check 1, body: .*did you mean contains\?/]],
    [
      { checks: "[{json: {a.b: 1}}]" },
      [/check 1, json, "a\.b": it must start with \$, as in \$\.a\.b/],
    ],
    [
      { checks: "[{json: {$.id: {a: [9007199254740992]}}}]" },
      [/check 1, json, "\$\.id": an integer beyond 2\^53 - 1 cannot be compared exactly/],
    ],
    [{ checks: "[{max-latency: 5}]" }, [/check 1, max-latency: the unit is missing/]],
    [{ checks: "[{follow-redirects: maybe}]" }, [/check 1, follow-redirects: it is neither/]],
    [{ checks: "[{headers: {Host Name: x}}]" }, [/"Host Name" is no header name/]],
    [
      { checks: "[{headers: {Content-Length: 5}}]" },
      [/Content-Length is set by the client itself/],
    ],
    [{ checks: '[{headers: {X-A: "a\\r\\nX-B: b"}}]' }, [/the value of X-A has characters/]],
    [
      { checks: "[{path: a, status: x}, {methd: GET}]" },
      [/check 1, path/, /check 1, status/, /check 2: there is no key "methd"/],
    ],
    [
      { headers: "no colon here" },
      [/headers: got a secret value; a line has no name before a colon/],
    ],
    [{ headers: "X A: b" }, [/"X A" is no header name/]],
    [{ path: "health", status: "OK", interval: "0s" }, [/path: /, /status: "?/, /interval: /]],
    [{ service: "Web" }, [/service: .*it has another form/]],
    [{ service: "a/b/c" }, [/it has another form/]],
    [{ url: "http://a.test/?x=1" }, [/a query belongs to the path of a check/]],
    [{ url: "http://a.test/#x" }, [/a query or a fragment/]],
    [{ url: "ftp://a.test" }, [/starts with http/]],
    [{ url: "https://a:pw123456@b.test" }, [/url: got a secret value/]],
  ])("%j", (given, patterns) => {
    const problems = problemsOf(given);
    for (const pattern of patterns) expect(problems).toMatch(pattern);
  });

  it("never quotes the value of a header", () => {
    const checks = "[{headers: {X-A: [hidden-value]}, statsu: 1}]";
    const problems = problemsOf({ checks, headers: "X B: hidden-value" });
    expect(problems).toMatch(/did you mean status\?/);
    expect(problems).not.toContain("hidden-value");
  });
});

describe("secrets", () => {
  const basic = Buffer.from("me:pass-word").toString("base64");

  it.each<[string, string, string[]]>([
    ["headers", "Accept: a/b\nContent-Type: x/y\nHost: h", []],
    ["headers", "Authorization: Bearer abcdef", ["Bearer abcdef", "abcdef"]],
    ["headers", `Authorization: Basic ${basic}`, [`Basic ${basic}`, basic, "pass-word"]],
    ["headers", "X-Api-Key: k 1 2", ["k 1 2"]],
    ["headers", "just-a-token", ["just-a-token"]],
    [
      "checks",
      "[{headers: {Cookie: a=b, accept: c/d}}, {headers: {x-key: 12345}}]",
      ["a=b", "12345"],
    ],
    ["checks", "[{path: /}]", []],
    ["checks", "[{headers: {Authorization: abc}", ["abc}"]],
    ["checks", "not a list", []],
    ["url", "https://me:pass-word@a.test", ["pass-word"]],
    ["url", "https://a.test/x:y@z", []],
  ])("in %s %j are %j", (name, raw, secrets) => {
    expect(inputs[name as keyof typeof inputs].secretsIn(raw)).toEqual(secrets);
  });
});
