import { readFileSync } from "node:fs";
import type { IncomingMessage, RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { bundleOf, type Running, runStep, type Step, startStep } from "../../runner/index.ts";
import { serveHttp, serveSelfSigned, serveWords } from "./servers.ts";

const main = bundleOf("smoke-test");

type Texts = Readonly<Record<string, string>>;

function run(inputs: Texts, environment: Texts = {}): Promise<Step> {
  return runStep(main, { inputs, environment });
}

function start(inputs: Texts): Promise<Running> {
  return startStep(main, { inputs });
}

/** The most memory that a process has had at once so far; 0 when it is over. */
function peakMegabytesOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

const QUICK = { timeout: "1s", interval: "100ms", "request-timeout": "300ms" };

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  return body;
}

describe("a service that answers well", () => {
  it("passes with nothing but its URL", async () => {
    await using server = await serveHttp((_, response) => response.end("hello"));
    const { exitCode, outputs, summary } = await run({ url: server.url });
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(JSON.parse(outputs.report ?? "")).toMatchObject({
      target: server.url,
      passed: true,
      pods: [],
      checks: [{ name: "GET /", passed: true, attempts: 1, status: 200, bytes: 5, excerpt: null }],
    });
    expect(Number(outputs.seconds)).toBeLessThan(5);
    expect(summary).toMatch(/^## ✅ smoke-test: the check of http/);
    expect(summary).toContain("```mermaid\ngantt");
  });

  it("passes all kinds of checks", async () => {
    await using server = await serveHttp(async (request, response) => {
      const body = await bodyOf(request);
      response.setHeader("content-type", "application/json; charset=utf-8");
      response.setHeader("x-version", "1.2.3");
      const { method, url, headers } = request;
      response.statusCode = method === "POST" ? 201 : 200;
      response.end(JSON.stringify({ method, url, body, key: headers["x-api-key"], ok: [true] }));
    });
    const checks = `- path: /health?deep=1
  status: [200, 204]
  body: { contains: [health, deep], matches: '"ok":\\[true\\]' }
  response-headers: { Content-Type: application/json, x-version: { matches: '^1\\.2\\.' } }
  json: { $.url: /api/health?deep=1, "$.ok[0]": true, $.key: k-123456 }
  max-latency: 5s
- name: order
  path: /orders
  request-body: { item: 1 }
  status: 201
  json: { $.method: POST, $.body: '{"item":1}' }`;
    const result = await run({ url: `${server.url}/api/`, checks, headers: "X-Api-Key: k-123456" });
    expect(result).toMatchObject({ exitCode: 0, outputs: { verdict: "passed" } });
    expect(result.stdout).toMatch(/✅ order passed at attempt 1 \(201 in \d+ ms\)/);
    expect(result.stdout.match(/(?<!add-mask::)k-123456/)).toBeNull();
    expect(result.outputs.report).not.toContain("k-123456");
  });

  it("passes once it has become well", async () => {
    let requests = 0;
    await using server = await serveHttp((_, response) => {
      requests += 1;
      response.writeHead(requests < 4 ? 404 : 200).end();
    });
    const { exitCode, stdout, outputs } = await run({ url: server.url, interval: "50ms" });
    expect(exitCode).toBe(0);
    expect(JSON.parse(outputs.report ?? "").checks[0].attempts).toBe(4);
    expect(stdout).toContain("a 404 can still heal while a rollout brings in new pods");
  });

  it("reads of a long body what it needs, and to its end for its latency", async () => {
    const chunk = Buffer.alloc(1_000_000, "x");
    await using server = await serveHttp((_, response) => {
      response.write("start");
      for (let sent = 0; sent < 50; sent += 1) response.write(chunk);
      response.end();
    });
    const checks = "[{body: start}, {body: start, max-latency: 20s}]";
    const { exitCode, outputs, summary } = await run({ url: server.url, checks });
    expect(exitCode).toBe(0);
    const [some, whole] = JSON.parse(outputs.report ?? "").checks;
    expect(some).toMatchObject({ passed: true, complete: false });
    expect(some.bytes).toBeLessThan(10_000_000);
    expect(whole).toMatchObject({ passed: true, complete: true, bytes: 50_000_005 });
    expect(summary).toContain("Not read to its end");
  });

  it("keeps nothing of a body but its beginning, however long it is", async () => {
    const chunk = Buffer.alloc(1_000_000, "x");
    await using server = await serveHttp((_, response) => {
      let left = 300;
      const pour = () => {
        while (left > 0) {
          left -= 1;
          if (!response.write(chunk)) return void response.once("drain", pour);
        }
        response.end();
      };
      pour();
    });
    const checks = "[{max-latency: 50s}]";
    const timeouts = { timeout: "55s", "request-timeout": "50s" };
    const { child, finished } = await start({ url: server.url, checks, ...timeouts });
    let peak = 0;
    const watching = setInterval(() => {
      peak = Math.max(peak, peakMegabytesOf(child.pid));
    }, 20);
    const { exitCode } = await finished;
    clearInterval(watching);
    expect(exitCode).toBe(0);
    expect(peak).toBeGreaterThan(20);
    expect(peak).toBeLessThan(150);
  }, 60_000);

  it("decodes a body that comes encoded though nobody asked", async () => {
    await using server = await serveHttp((_, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync('{"status":"ok"}'));
    });
    const checks = "[{json: {$.status: ok}}]";
    expect(await run({ url: server.url, checks })).toMatchObject({ exitCode: 0 });
  });
});

describe("a service that does not", () => {
  it.each<[string, RequestListener, string, RegExp]>([
    [
      "a wrong status",
      (_, r) => r.writeHead(503).end("down"),
      "[{}]",
      /the status is 503, expected 2xx \(\d+ attempts in/,
    ],
    ["no answer", () => {}, "[{}]", /gave no answer within 0\.3 s/],
    [
      "an answer without end",
      (_, r) => r.write("x"),
      "[{}]",
      /had not finished its answer after 0\.3 s \(1 bytes of body so far\)/,
    ],
    [
      "a reset",
      (q) => q.socket.resetAndDestroy(),
      "[{}]",
      /broke the connection off: .*ECONNRESET/,
    ],
    [
      "a body shorter than it says",
      (_, r) => {
        r.writeHead(200, { "content-length": 9 }).write("x", () => r.destroy());
      },
      "[{}]",
      /broke the connection off/,
    ],
    [
      "broken JSON",
      (_, r) => r.end('{"a":'),
      "[{json: {$.a: 1}}]",
      /the body \(no content type\) is no JSON/,
    ],
    [
      "another value",
      (_, r) => r.end('{"a":"1"}'),
      "[{json: {$.a: 1}}]",
      /\$\.a is "1" \(a string\), expected 1 \(a number\)/,
    ],
    [
      "a slow answer",
      (_, r) => setTimeout(() => r.end(), 120),
      "[{max-latency: 50ms}]",
      /the answer took \d+ ms, at most 50 ms are allowed/,
    ],
    [
      "a redirect",
      (_, r) => r.writeHead(302, { location: "/login" }).end(),
      "[{}]",
      /302, expected 2xx, a redirect to "\/login" that was not followed/,
    ],
    [
      "a redirect loop",
      (_, r) => r.writeHead(302, { location: "/" }).end(),
      "[{follow-redirects: true}]",
      /after 5 redirects there is another one/,
    ],
  ])("%s", async (_, listener, checks, cause) => {
    await using server = await serveHttp(listener);
    const { exitCode, outputs, stdout, milliseconds } = await run({
      ...QUICK,
      url: server.url,
      checks,
    });
    expect(exitCode).toBe(1);
    expect(outputs.verdict).toBe("failed");
    expect(outputs.cause).toMatch(cause);
    expect(stdout).toMatch(/^::error title=GET %2F failed::|^::error title=GET \/ failed::/m);
    expect(milliseconds).toBeLessThan(5_000);
  });

  it("speaks no HTTP", async () => {
    await using server = await serveWords("SSH-2.0-OpenSSH_9.2\r\n");
    const { outputs } = await run({ ...QUICK, url: server.url });
    expect(outputs.cause).toMatch(/does not answer in proper HTTP: .*Expected HTTP/);
  });

  it("has a certificate that is not valid: at once", async () => {
    await using server = await serveSelfSigned((_, response) => response.end());
    const { outputs, milliseconds, stdout } = await run({ url: server.url, timeout: "60s" });
    expect(outputs.cause).toMatch(/certificate of 127\.0\.0\.1:\d+ is not valid here: self-signed/);
    expect(stdout).toContain("by the input `ca`");
    expect(milliseconds).toBeLessThan(5_000);
  });

  it("speaks no TLS: at once", async () => {
    await using server = await serveHttp((_, response) => response.end());
    const url = server.url.replace("http", "https");
    const { outputs, milliseconds } = await run({ url, timeout: "60s" });
    expect(outputs.cause).toMatch(
      /TLS with 127\.0\.0\.1:\d+ failed: .*(wrong version number|packet length)/,
    );
    expect(milliseconds).toBeLessThan(5_000);
  });

  it("tells of every check, and of each cause once", async () => {
    await using server = await serveHttp(({ url }, response) => {
      response.writeHead(url === "/a" ? 200 : 500).end();
    });
    const checks = "[{path: /a}, {path: /b}, {path: /c}]";
    const { outputs, summary } = await run({ ...QUICK, url: server.url, checks });
    expect(outputs.cause).toMatch(/^GET \/b and 1 more: the status is 500, expected 2xx \(.*\)\.$/);
    expect(summary).toMatch(/^## ❌ smoke-test: 2 of 3 checks of http[^\n]* did not pass/);
    expect(
      JSON.parse(outputs.report ?? "").checks.map((c: { passed: boolean }) => c.passed),
    ).toEqual([true, false, false]);
  });
});

describe("an answer full of malice", () => {
  const token = "t0k3n-that-nobody-may-see";
  const evil = `::error::forged\r::set-output name=x::y\n##[command]\u001b[31mred\u0000 ${token} </details><script> \`\`\`\n${"x".repeat(450)}${token}`;

  it("forges no command and no output, and keeps no secret", async () => {
    await using server = await serveHttp((_, response) => response.writeHead(500).end(evil));
    const headers = `Authorization: Bearer ${token}`;
    const checks = `[{name: "::error::name\\r\\n::warning::x", body: {equals: "a"}}]`;
    const result = await run({ ...QUICK, url: server.url, checks, headers });
    const lines = result.stdout.split(/\r\n|\r|\n/);
    const commands = lines.filter(
      (line) => /^\s*::|##\[/.test(line) && !line.startsWith("::add-mask::"),
    );
    for (const command of commands) {
      expect(command).toMatch(/^::(debug|group|endgroup)::|^::error title=/);
      expect(command).not.toMatch(/^::error::|^::warning|^::set-output/);
    }
    const shown = lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    for (const text of [shown, result.summary, JSON.stringify(result.outputs)]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(token.slice(0, 12));
      expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    }
    expect(Object.keys(result.outputs).sort()).toEqual([
      "cause",
      "junit",
      "report",
      "seconds",
      "verdict",
    ]);
    const withoutFences = result.summary.replace(/^(`{3,})[\s\S]*?^\1$/gm, "");
    expect(withoutFences).not.toContain("<script>");
  });
});

describe("the way to a URL", () => {
  it("goes through HTTP_PROXY, except for what NO_PROXY names", async () => {
    const seen: string[] = [];
    await using proxy = await serveHttp(({ url }, response) => {
      seen.push(url ?? "");
      response.end("by proxy");
    });
    await using direct = await serveHttp((_, response) => response.end("direct"));
    const environment = { HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" };
    const checks = "[{body: by proxy}]";
    const away = await run({ ...QUICK, url: "http://shop.test", checks }, environment);
    expect(away).toMatchObject({ exitCode: 0 });
    expect(seen).toEqual(["http://shop.test/"]);
    const near = await run({ ...QUICK, url: direct.url, checks: "[{body: direct}]" }, environment);
    expect(near).toMatchObject({ exitCode: 0 });
  });

  it("names a host that DNS does not know, in seconds", async () => {
    const { outputs, milliseconds } = await run({ url: "http://nowhere.invalid", timeout: "60s" });
    expect(outputs.cause).toMatch(/nowhere\.invalid is not known to DNS|DNS gave no answer/);
    expect(milliseconds).toBeLessThan(20_000);
  }, 30_000);
});

describe("a cancellation", () => {
  it("ends the waiting within a second", async () => {
    await using server = await serveHttp(({ url }, response) => {
      response.writeHead(url === "/a" ? 200 : 503).end();
    });
    const checks = "[{path: /a}, {path: /b}]";
    const { child, logged, finished } = await start({ url: server.url, checks, interval: "30s" });
    await logged(/GET \/b, attempt 1/);
    const told = performance.now();
    child.kill("SIGINT");
    const { exitCode, outputs } = await finished;
    expect(performance.now() - told).toBeLessThan(1_000);
    expect(exitCode).toBe(1);
    expect(outputs.verdict).toBe("cancelled");
    expect(outputs.cause).toContain("1 of 2 checks had passed");
  });

  it("ends a request that hangs", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    await using server = await serveHttp(() => resolve());
    const { child, finished } = await start({ url: server.url });
    await asked;
    child.kill("SIGINT");
    expect(await finished).toMatchObject({ exitCode: 1, outputs: { verdict: "cancelled" } });
  });
});

describe("inputs that are wrong", () => {
  it.each([
    [{}, /Neither url nor service/],
    [{ url: "http://a.test", service: "web" }, /Both url and service/],
    [{ service: "a/web", namespace: "b" }, /names namespace a, the input namespace b/],
    [{ url: "a.test" }, /url: got "a\.test"; it is no URL that starts with http/],
    [{ url: "http://a.test?x=1" }, /a query belongs to the path of a check/],
    [{ service: "http://web" }, /a URL belongs into the input url/],
    [{ service: "web; rm -rf /" }, /service: got .* it has another form/],
    [{ chekcs: "[]", url: "http://a.test" }, /did you mean checks\?/],
    [{ url: "http://a.test", timeout: "60" }, /timeout: .*the unit is missing/],
  ])("%j", async (inputs, cause) => {
    const { exitCode, outputs, milliseconds } = await run(inputs);
    expect(exitCode).toBe(1);
    expect(outputs.cause).toMatch(cause);
    expect(milliseconds).toBeLessThan(3_000);
  });
});
