import { describe, expect, it } from "@jest/globals";
import {
  type Answer,
  type Expectation,
  mismatches,
  parseStatusSet,
} from "../../../shared/http/index.ts";
import { parseJsonPath } from "../../../shared/json/index.ts";

const identity = (text: string) => text;

function answer(parts: Partial<Answer> = {}): Answer {
  const headers = { "content-type": "application/json", ...parts.headers };
  const body = parts.body ?? '{"status":"ok","n":1.1,"list":[{"x":true}]}';
  const whole = {
    status: 200,
    bodyBytes: body.length,
    complete: true,
    truncated: false,
    milliseconds: 12.4,
  };
  return { ...whole, ...parts, body, headers };
}

function expectation(parts: Partial<Expectation> = {}): Expectation {
  const any = { contains: [], matches: [] };
  return { status: parseStatusSet("2xx"), headers: {}, body: any, json: [], ...parts };
}

function json(path: string, expected: unknown): Partial<Expectation> {
  return { json: [{ path: parseJsonPath(path), expected }] };
}

function body(parts: Partial<Expectation["body"]>): Partial<Expectation> {
  return { body: { contains: [], matches: [], ...parts } };
}

describe("what holds", () => {
  it.each<[string, Partial<Expectation>, Partial<Answer>]>([
    ["the status alone", {}, {}],
    ["text in the body", body({ contains: ["status", "ok"] }), {}],
    ["a pattern", body({ matches: [/^\{.*\}$/u] }), {}],
    ["the whole body", body({ equals: "pong" }), { body: "pong" }],
    ["a value", json("$.status", "ok"), {}],
    ["a number", json("$.n", 1.1), {}],
    ["a nested value", json("$.list[0].x", true), {}],
    ["a structure", json("$.list", [{ x: true }]), {}],
    ["zero, whatever its sign", json("$.z", [0, 1]), { body: '{"z":[-0,1.0]}' }],
    ["what is encoded, where only the status counts", {}, { undecodable: "unknown" }],
    ["null that is there", json("$.v", null), { body: '{"v":null}' }],
    ["keys in another order", json("$", { b: 1, a: 2 }), { body: '{"a":2,"b":1}' }],
    ["a header", { headers: { "content-type": { contains: ["json"], matches: [] } } }, {}],
    ["a latency at its limit", { maxLatency: 100 }, { milliseconds: 100 }],
  ])("%s", (_, expected, given) => {
    expect(mismatches(expectation(expected), answer(given), identity)).toEqual([]);
  });
});

describe("what does not hold", () => {
  it.each<[Partial<Expectation>, Partial<Answer>, string[]]>([
    [{}, { status: 503 }, ["the status is 503, expected 2xx"]],
    [
      {},
      { status: 302, headers: { location: "/login" } },
      ['the status is 302, expected 2xx, a redirect to "/login" that was not followed'],
    ],
    [body({ contains: ["pong"] }), { body: "ping" }, ['the body does not contain "pong"']],
    [body({ matches: [/^p.ng$/u] }), { body: "ping!" }, ["the body does not match /^p.ng$/u"]],
    [body({ equals: "a" }), { body: "b" }, ['the body is "b", expected "a"']],
    [json("$.n", "1.1"), {}, ['$.n is 1.1 (a number), expected "1.1" (a string)']],
    [json("$.x.y", 1), {}, ['$.x.y is not there: $ is an object without "x"']],
    [json("$.list", []), {}, ['$.list is [{"x":true}], expected []']],
    [
      { headers: { "x-version": { equals: "2", contains: [], matches: [] } } },
      { headers: { "x-version": "1" } },
      ['the header x-version is "1", expected "2"'],
    ],
    [
      { headers: { "x-version": { contains: [], matches: [] } } },
      {},
      ["there is no header x-version"],
    ],
    [
      { maxLatency: 100 },
      { milliseconds: 100.6 },
      ["the answer took 101 ms, at most 100 ms are allowed"],
    ],
    [
      json("$.a", 1),
      { body: "", truncated: true },
      ["the body is longer than 1 MiB, too long to be read as JSON"],
    ],
    [
      body({ contains: ["x"] }),
      { body: "", truncated: true },
      ['the body does not contain "x"', "only the first MiB of the body was looked at"],
    ],
    [
      { ...body({ contains: ["x"] }), ...json("$.a", 1) },
      { body: "x", headers: { "content-encoding": "gzip" }, undecodable: "incorrect header check" },
      ["the body cannot be decoded as gzip: incorrect header check"],
    ],
    [
      body({ matches: [/^(a+)+$/u] }),
      { body: `${"a".repeat(40)}!` },
      [
        "the body could not be held against /^(a+)+$/u within a second: the pattern has too many ways to match",
      ],
    ],
  ])("%j of %j", (expected, given, reasons) => {
    expect(mismatches(expectation(expected), answer(given), identity)).toEqual(reasons);
  });

  it("reports everything at once", () => {
    const expected = expectation({ ...json("$.status", "up"), maxLatency: 1 });
    expect(mismatches(expected, answer({ status: 500 }), identity)).toHaveLength(3);
  });

  it("names the content type of what is no JSON", () => {
    const [reason] = mismatches(
      expectation(json("$.a", 1)),
      answer({ body: "<html>", headers: { "content-type": "text/html" } }),
      identity,
    );
    expect(reason).toMatch(/^the body \(text\/html\) is no JSON: Unexpected token/);
  });

  it("bears what is nested without end", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const reasons = mismatches(expectation(json("$", 1)), answer({ body: deep }), identity);
    expect(reasons).toEqual([
      "$ is an array of 1, nested too deeply to be shown, expected 1 (a number)",
    ]);
  });

  it("hides secrets before it cuts a quote", () => {
    const secret = "s3cr3t".repeat(10);
    const redact = (text: string) => text.replaceAll(secret, "***");
    const given = answer({ body: `${"x".repeat(100)}${secret}` });
    const [reason] = mismatches(expectation(body({ equals: "a" })), given, redact);
    expect(reason).toBe(`the body is "${"x".repeat(100)}***", expected "a"`);
  });
});
