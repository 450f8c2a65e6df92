import { describe, expect, it } from "@jest/globals";
import { inputs } from "../../../actions/smoke-test/inputs.ts";
import { planOf } from "../../../actions/smoke-test/plan.ts";
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

/** The checks as they were read, to a URL where nothing else is named. */
function specs(checks: string): readonly unknown[] {
  return planOf(parse({ url: "http://a.test", checks })).map(({ spec }) => spec);
}

describe("the short form", () => {
  it("is one check of / for any success", () => {
    const options = parse({ url: "http://a.test" });
    expect(options).toMatchObject({ path: "/", status: [{ from: 200, to: 299 }] });
    expect(planOf(options)).toMatchObject([
      { name: "GET /", to: { kind: "url" }, requests: 1, pods: "one", attest: false },
    ]);
  });

  it("takes path, status, headers and redirects from the inputs", () => {
    const options = parse({
      url: "http://a.test",
      path: "/health?x=1",
      status: "200,204",
      headers: "Accept: a/b\nX-Token:  t: u ",
      "follow-redirects": "true",
    });
    expect(options).toMatchObject({
      headers: { accept: "a/b", "x-token": "t: u" },
      followRedirects: true,
      status: [{ from: 200 }, { from: 204 }],
    });
    expect(planOf(options)).toMatchObject([{ name: "GET /health?x=1" }]);
  });

  it("has a check for each preset, beside the list", () => {
    const url = "http://a.test";
    const names = (given: Given) => planOf(parse({ url, ...given })).map(({ name }) => name);
    expect(names({ presets: "health, /ready\nlive" })).toEqual([
      "GET /health",
      "GET /ready",
      "GET /live",
    ]);
    expect(names({ presets: "health", checks: "[{path: /a}]" })).toEqual(["GET /a", "GET /health"]);
  });
});

describe("checks", () => {
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
    ["[{max-latency: 1m30s}]", { maxLatency: 90_000 }],
    [
      "[{response-headers: {X-V: 1}}]",
      { expectation: { headers: { "x-v": { contains: ["1"] } } } },
    ],
    ['[{"name": "json too"}]', { name: "json too" }],
    ["[{status: 404, headers: {X-A: 2}}]", { status: [{ from: 404 }], headers: { "x-a": "2" } }],
    [
      "[{latency: [p95 < 1s over 20 requests, max < 2s], at-once: 2}]",
      { requests: 20, atOnce: 2, latency: [{ percentile: 95 }, { percentile: 100 }] },
    ],
    [
      "[{version: {json: $.v, equals: 1.2}}]",
      { version: { source: { json: ["v"] }, equals: "1.2" } },
    ],
    ["[{version: {header: X-V}}]", { version: { source: { header: "x-v" } } }],
    ["[{preset: ready}]", { type: "http", preset: "ready" }],
    ["[{type: tcp, expect: {matches: ^SSH}}]", { type: "tcp", expect: { matches: [/^SSH/u] } }],
    ["[{url: 'tls://[::1]:443'}]", { type: "tcp", to: { kind: "url" } }],
    ["[{url: grpc://a:50051, grpc-service: a.B}]", { type: "grpc", service: "a.B" }],
    ["[{service: svc/api:grpc, type: grpc}]", { to: { service: { name: "api", port: "grpc" } } }],
    [
      "[{command: [pg_isready, -p, 5432], workload: sts/db, exit-code: 2, stdout: [a]}]",
      {
        type: "exec",
        command: ["pg_isready", "-p", "5432"],
        exitCode: 2,
        stdout: { contains: ["a"] },
      },
    ],
    [
      "[{url: https://a.test, connect-to: '10.0.0.1:8443', server-name: b.test}]",
      { to: { connectTo: { host: "10.0.0.1", port: 8443 } }, serverName: "b.test" },
    ],
    [
      "[{ingress: shop/web www.a.test}]",
      { to: { ingress: { namespace: "shop", host: "www.a.test" } } },
    ],
  ])("%s", (checks, expected) => {
    expect(specs(checks)[0]).toMatchObject(expected as object);
  });

  it("keep their own pace", () => {
    const checks = "[{timeout: 5s, request-timeout: 9s, interval: 2s, attempts: 3}, {}]";
    expect(planOf(parse({ url: "http://a.test", checks }))).toMatchObject([
      { pace: { timeout: 5_000, requestTimeout: 5_000, interval: 2_000, attempts: 3 } },
      { pace: { timeout: 60_000, requestTimeout: 10_000, interval: 1_000, attempts: Infinity } },
    ]);
  });

  it("are named by what they ask, and of whom where they say so", () => {
    const checks = `- { path: /a }
- { url: "https://b.test/c", path: /d, method: head }
- { service: shop/db:5432, type: tcp }
- { service: api, grpc-service: shop.Orders }
- { command: [sh, -c, "a b"], workload: deploy/web }`;
    expect(planOf(parse({ url: "http://a.test", checks })).map(({ name }) => name)).toEqual([
      "GET /a",
      "HEAD /d of https://b.test/c",
      "TCP of shop/db:5432",
      "gRPC health shop.Orders of api",
      'sh -c "a b" in deployment/web',
    ]);
  });

  it("ask every pod where images are given, and one otherwise", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const images = JSON.stringify({ web: { repository: "r/web", digest } });
    const pods = (given: Given) =>
      planOf(parse({ service: "web", ...given })).map((plan) => [plan.pods, plan.attest]);
    expect(pods({})).toEqual([["one", false]]);
    expect(pods({ images })).toEqual([["every", true]]);
    expect(pods({ images, pods: "one" })).toEqual([["one", true]]);
    expect(pods({ checks: `[{digest: "${digest}"}, {}]` })).toEqual([
      ["every", true],
      ["one", false],
    ]);
    expect(pods({ pods: "every" })).toEqual([["every", false]]);
  });
});

it("images that need not be proved may be given where no check tells which pod answers", () => {
  const images = JSON.stringify({
    web: { repository: "r/web", digest: `sha256:${"a".repeat(64)}` },
  });
  const given = { url: "http://a.test", images, "require-images": "false" };
  expect(planOf(parse(given))).toMatchObject([{ attest: false }]);
});

describe("what does not go together", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const images = JSON.stringify({ web: { repository: "r/web", digest } });

  it.each<[Given, RegExp]>([
    [{}, /Neither url nor service is given; give one of them: url: https:/],
    [{ url: "http://a.test", service: "web" }, /Both url and service are given/],
    [{ service: "shop/web", namespace: "other" }, /input service names namespace shop/],
    [{ checks: "[{path: /a}, {url: http://b.test}]" }, /Check 1: it names neither url nor service/],
    [{ url: "http://a.test", checks: "[{command: [ls]}]" }, /a command runs in a pod/],
    [{ checks: "[{service: a, type: tcp}, {workload: deploy/a, command: [x], digest: x}]" }, /hex/],
    [{ url: "http://a.test", images }, /no check tells which pod answers/],
    [{ checks: `[{url: http://a.test, digest: "${digest}"}]` }, /needs to know which pod answered/],
    [{ checks: "[{url: http://a.test, answered-by: {header: x}}]" }, /give digest, or the input/],
    [{ url: "http://a.test", checks: "[{pods: every}]" }, /every needs a service or a workload/],
    [{ checks: "[{ingress: a, type: tcp}]" }, /ingress belongs to checks of type http/],
  ])("%j", (given, problem) => {
    const cause = (() => {
      try {
        planOf(parse(given));
        return "";
      } catch (error) {
        if (error instanceof UserError) return error.cause;
        throw error;
      }
    })();
    expect(cause).toMatch(problem);
  });
});

describe("what is wrong", () => {
  it.each<[Given, RegExp[]]>([
    [{ checks: "[{statsu: 200}]" }, [/check 1: there is no key "statsu"; did you mean status\?/]],
    [
      { checks: "[{zzzzzz: 200}]" },
      [/there is no key "zzzzzz"; known are name, type, method, path/],
    ],
    [{ checks: "{path: /}" }, [/it is not a list/]],
    [{ checks: "[]" }, [/the list is empty/]],
    [{ checks: "[/a]" }, [/check 1: it is not a mapping/]],
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
      [/check 1, json, a\.b: it must start with \$, as in \$\.a\.b/],
    ],
    [
      { checks: "[{json: {$.id: {a: [9007199254740992]}}}]" },
      [/check 1, json, \$\.id: an integer beyond 2\^53 - 1 cannot be compared exactly/],
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
    [{ checks: "[{type: htp}]" }, [/check 1: "htp" is no type of check; did you mean http\?/]],
    [
      { checks: "[{stdout: a}, {command: [x], body: y, workload: a/b}]" },
      [
        /check 1: stdout belongs to checks of type exec; this one is of type http/,
        /check 2: body belongs to checks of type http; this one is of type exec/,
        /check 2, workload: "a" is no kind that has pods/,
      ],
    ],
    [{ checks: "[{command: ls -l, service: a}]" }, [/as a list, such as \[pg_isready, -q\]/]],
    [{ checks: "[{type: exec, service: a}]" }, [/check 1: command is missing/]],
    [{ checks: "[{command: [x], service: a, exit-code: 256}]" }, [/a number from 0 to 255/]],
    [{ checks: "[{url: 'tcp://a'}]" }, [/check 1, url: it names no port/]],
    [{ checks: "[{url: 'grpc://a:1/b'}]" }, [/it has a path, which only HTTP knows/]],
    [{ checks: "[{url: 'http://a', service: b}]" }, [/it has both url and service/]],
    [{ checks: "[{latency: fast}]" }, [/check 1, latency: it has another form than `p95 < 300ms/]],
    [
      { checks: "[{latency: p95 < 1s over 20 requests, requests: 10}]" },
      [/check 1: it wants 20 and 10 requests at once/],
    ],
    [{ checks: "[{preset: helth}]" }, [/no preset "helth"; did you mean health\?/]],
    [{ checks: "[{preset: health, path: /x}]" }, [/the preset has paths of its own/]],
    [{ checks: "[{version: 1.2}]" }, [/say where it stands: \{header: X-Version\}/]],
    [{ checks: "[{version: {equals: 1}}]" }, [/give either header or json/]],
    [{ checks: "[{version: {headr: X}}]" }, [/no key "headr"; did you mean header\?/]],
    [{ checks: "[{connect-to: 'a:1'}]" }, [/connect-to needs the url/]],
    [{ presets: "alive" }, [/there is no preset "alive"; did you mean live\?/]],
    [{ images: "{web: {}}" }, [/images: .*web, digest: it must be sha256/]],
    [{ pods: "all" }, [/pods: .*accepted is one of one, every/]],
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
