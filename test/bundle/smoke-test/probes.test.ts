import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep, type Step } from "../../runner/index.ts";
import { type Authority, makeAuthority } from "./certificates.ts";
import { answerHealth, serveGrpc, serveHttp, serveHttps, serveTcp, serveWords } from "./servers.ts";

const main = bundleOf("smoke-test");
/** Enough for a busy machine; what cannot pass ends after one attempt. */
const QUICK = { timeout: "25s", interval: "100ms", "request-timeout": "1s" };

jest.setTimeout(60_000);

let authority: Authority;
beforeAll(() => {
  authority = makeAuthority();
});

function run(checks: string, inputs: Readonly<Record<string, string>> = {}): Promise<Step> {
  return runStep(main, { inputs: { ...QUICK, checks, ...inputs } });
}

function reasonsOf({ outputs }: Step): readonly string[] {
  const { checks } = JSON.parse(outputs.report ?? '{"checks":[]}');
  return checks.map(({ reasons }: { reasons: string[] }) => reasons.join("; "));
}

describe("TCP", () => {
  it("connects, says something, and waits for the answer", async () => {
    await using server = await serveTcp((socket) => {
      socket.on("data", (data) => socket.write(`+${data}PO`)).setNoDelay();
      socket.on("data", () => setTimeout(() => socket.write("NG\r\n"), 50));
    });
    const checks = `[{url: "${server.url}"}, {url: "${server.url}", send: "PING\\r\\n", expect: PONG}]`;
    expect(await run(checks, { "request-timeout": "2s" })).toMatchObject({ exitCode: 0 });
  });

  it("tells what is wrong: refused, silent, other words", async () => {
    await using silent = await serveTcp(() => {});
    await using ssh = await serveWords("SSH-2.0-OpenSSH\r\n");
    await using drip = await serveTcp((socket) => {
      const timer = setInterval(() => socket.write("."), 20);
      socket.on("close", () => clearInterval(timer));
    });
    const result = await run(
      `[{url: tcp://127.0.0.1:1, attempts: 1}, {url: "${silent.url}", expect: a}, {url: "tcp://127.0.0.1:${ssh.port}", expect: {matches: ^220}}, {url: "${drip.url}", expect: a}]`,
    );
    expect(result.exitCode).toBe(1);
    expect(reasonsOf(result)).toEqual([
      expect.stringMatching(/127\.0\.0\.1:1 refuses connections/),
      expect.stringMatching(/accepted the connection and said nothing within 1 s/),
      "what the server said does not match /^220/u",
      expect.stringMatching(/said only \d+ bytes, without what is expected/),
    ]);
  });
});

describe("gRPC health", () => {
  it("is asked in plain and over TLS, of the server and of a service", async () => {
    const serve = (stream: Parameters<typeof answerHealth>[0], message: Buffer) =>
      answerHealth(stream, ["", "shop.Orders"].includes(message.subarray(2).toString()) ? 1 : 2);
    await using plain = await serveGrpc(serve);
    await using secure = await serveGrpc(serve, authority.sign("IP:127.0.0.1"));
    const checks = `[{url: "${plain.url}"}, {url: "${plain.url}", grpc-service: shop.Orders}, {url: "${secure.url}", latency: p95 < 5s over 8 requests}]`;
    expect(await run(checks, { ca: authority.cert, timeout: "10s" })).toMatchObject({
      exitCode: 0,
    });
    const failed = await run(
      `[{url: "${plain.url}", grpc-service: x, attempts: 1}, {url: "${secure.url}"}]`,
    );
    expect(reasonsOf(failed)).toEqual([
      'the service "x" is NOT_SERVING, expected SERVING',
      expect.stringMatching(/certificate of 127\.0\.0\.1:\d+ is not valid here/),
    ]);
  });

  it("tells of servers that have none, end badly, hang, or speak something else", async () => {
    const head = { ":status": 200, "content-type": "application/grpc" };
    await using none = await serveGrpc((stream) =>
      stream.respond({ ...head, "grpc-status": "12" }, { endStream: true }),
    );
    await using empty = await serveGrpc((stream) => {
      stream.respond(head, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, 9, 255]));
    });
    await using hangs = await serveGrpc(() => {});
    await using resets = await serveGrpc((stream) => stream.session?.destroy());
    await using http1 = await serveHttp((_, response) => response.end("hello"));
    await using web = await serveGrpc((stream) => {
      stream.respond({ ":status": 404, "content-type": "text/html" });
      stream.end("<h1>no</h1>");
    });
    const grpc = (port: number) => `grpc://127.0.0.1:${port}`;
    const urls = [none, empty, hangs, resets, http1, web].map(({ port }) => grpc(port));
    const result = await run(JSON.stringify(urls.map((url) => ({ url, attempts: 1 }))));
    expect(reasonsOf(result)).toEqual([
      "the server has no health service (grpc.health.v1.Health): UNIMPLEMENTED",
      expect.stringMatching(/the server is something that cannot be read/),
      expect.stringMatching(/gave no answer within 1 s/),
      expect.stringMatching(/broke the connection off|proper HTTP\/2/),
      expect.stringMatching(/does not answer in proper HTTP\/2/),
      "the answer is no gRPC: HTTP status 404, text/html",
    ]);
  });
});

describe("TLS", () => {
  it("trusts an authority that is given, by the name that is given", async () => {
    const pair = authority.sign("DNS:shop.test");
    await using server = await serveHttps(pair, (_, response) => response.end("ok"));
    const checks = `[{url: "${server.url}"}]`;
    const named = { ca: authority.cert, "server-name": "shop.test" };
    expect(await run(checks, named)).toMatchObject({ exitCode: 0 });
    const failed = await run(checks, { ca: authority.cert });
    expect(failed.outputs.cause).toMatch(/not valid here: .*(altnames|does not match)/);
    const elsewhere = `[{url: "https://shop.test:${server.port}", connect-to: "127.0.0.1:${server.port}"}]`;
    expect(await run(elsewhere, { ca: authority.cert })).toMatchObject({ exitCode: 0 });
    const blind = await run(checks, { insecure: "true" });
    expect(blind.exitCode).toBe(0);
    expect(blind.summary).toContain("were not verified");
  });

  it("shows a client certificate, and hides its key", async () => {
    const { key, cert } = authority.sign("DNS:client");
    const asking = { ...authority.sign("IP:127.0.0.1"), ca: authority.cert, requestCert: true };
    await using server = await serveHttps(asking, (_, response) => response.end("ok"));
    const checks = `[{url: "${server.url}"}]`;
    const shown = { ca: authority.cert, "client-certificate": cert, "client-key": key };
    const result = await run(checks, shown);
    expect(result.exitCode).toBe(0);
    const none = `[{url: "${server.url}", attempts: 1}]`;
    expect(await run(none, { ca: authority.cert })).toMatchObject({ exitCode: 1 });
    await using runner = await Runner.create({ "ca.pem": authority.cert });
    const files = { ...QUICK, ...shown, checks, ca: "ca.pem" };
    expect(await runStep(main, { inputs: files, runner })).toMatchObject({ exitCode: 0 });
  });

  it.each<[Readonly<Record<string, string>>, RegExp]>([
    [{ ca: "nowhere.pem" }, /The input ca is no PEM text, and nowhere\.pem cannot be read: ENOENT/],
    [
      { ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
      /certificate 1 cannot be read/,
    ],
    [{ ca: "-----BEGIN NOTHING-----" }, /holds no certificate in PEM form/],
    [{ "client-key": "-----BEGIN KEY-----" }, /client-certificate and client-key go together/],
  ])("is not set up with %j", async (inputs, cause) => {
    const { exitCode, outputs } = await run("[{url: https://127.0.0.1:1}]", inputs);
    expect(exitCode).toBe(1);
    expect(outputs.cause).toMatch(cause);
  });
});

describe("presets", () => {
  it("fall back to the path with a z, and believe no page and no word of trouble", async () => {
    await using server = await serveHttp(({ url = "" }, response) => {
      const bodies: Readonly<Record<string, string>> = {
        "/healthz": "ok",
        "/a/health": '{"status":"DOWN"}',
        "/b/health": "<!doctype html><title>Shop</title>",
        "/c/health": '{"ready":false}',
      };
      if (bodies[url] === undefined) response.statusCode = 404;
      response.end(bodies[url]);
    });
    expect(await run("[{preset: health}]", { url: server.url })).toMatchObject({ exitCode: 0 });
    const bad = (path: string) => `{url: "${server.url}${path}", preset: health, attempts: 1}`;
    const result = await run(`[${["/a", "/b", "/c", "/d"].map(bad).join()}]`);
    expect(reasonsOf(result)).toEqual([
      'it says of itself status: "DOWN"',
      expect.stringMatching(/HTML page, which a front end gives for every path/),
      "it says of itself ready: false",
      "none of /health, /healthz is there; the status is 404, expected 2xx",
    ]);
  });
});

describe("several requests", () => {
  it("find the old version among the answers", async () => {
    let n = 0;
    await using server = await serveHttp((_, response) => {
      n += 1;
      response.setHeader("x-version", n % 4 === 0 ? "1.0" : "2.0").end();
    });
    const check = "{requests: 12, version: {header: X-Version, equals: '2.0'}, attempts: 2}";
    const { outputs } = await run(`[${check}]`, { url: server.url });
    expect(outputs.cause).toMatch(/request \d+ of 12: version "1\.0" answered, expected "2\.0"/);
  });

  it("never have more on their way than allowed, each by a connection of its own", async () => {
    let running = 0;
    let most = 0;
    const connections = new Set<unknown>();
    await using server = await serveHttp((request, response) => {
      connections.add(request.socket);
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        response.end();
      }, 20);
    });
    const checks = "[{latency: p95 < 2s over 30 requests, at-once: 3}]";
    const result = await run(checks, { url: server.url, timeout: "10s" });
    expect(result.exitCode).toBe(0);
    expect(most).toBe(3);
    expect(connections.size).toBe(31);
    expect(result.summary).toMatch(/\| Latency of \| Requests \| Least/);
  });
});

describe("a hostile server", () => {
  it("ends no run but its own check", async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    await using server = await serveHttp((request, response) => {
      const hostile: Readonly<Record<string, () => void>> = {
        "/loris": () => void setInterval(() => response.write("x"), 30).unref(),
        "/reset": () => response.write("x", () => request.socket.resetAndDestroy()),
        "/bomb": () => void response.setHeader("content-encoding", "gzip").end(bomb),
        "/utf8": () => void response.end(Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0x41])),
        "/headers": () => void response.writeHead(200, { "x-big": "a".repeat(100_000) }).end(),
        "/endless": () => {
          const chunk = Buffer.alloc(65_536);
          const pour = () => {
            while (!response.destroyed && response.write(chunk));
          };
          response.on("drain", pour);
          pour();
        },
      };
      (hostile[request.url ?? ""] ?? (() => response.end("fine")))();
    });
    const paths = ["/loris", "/reset", "/bomb", "/utf8", "/headers", "/endless"];
    const checks = paths.map((path) => ({ path, body: "A", attempts: 1 }));
    const patient = { timeout: "25s", "request-timeout": "2s" };
    const result = await run(JSON.stringify(checks), { url: server.url, ...patient });
    expect(reasonsOf(result)).toEqual([
      expect.stringMatching(/had not finished its answer after 2 s/),
      expect.stringMatching(/broke the connection off/),
      expect.stringMatching(/does not contain "A"; only the first MiB/),
      "",
      expect.stringMatching(/does not answer in proper HTTP: .*[Hh]eaders? [Oo]verflow/),
      expect.stringMatching(/does not contain "A"/),
    ]);
  });

  it("may be at an IPv6 address, send hints early, or have a name beyond ASCII", async () => {
    await using server = await serveTcp((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        setTimeout(() => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 50);
      });
    });
    const checks = `[{url: "http://127.0.0.1:${server.port}", body: ok}]`;
    expect(await run(checks)).toMatchObject({ exitCode: 0 });
    const v6 = await run(
      "[{url: 'http://[::1]:1', attempts: 1}, {url: 'tcp://[::1]:1', attempts: 1}]",
    );
    expect(v6.outputs.cause).toMatch(/\[::1\]:1 (refuses connections|cannot be reached)/);
    const unicode = await run("[{url: 'http://bücher.invalid', attempts: 1}]");
    expect(unicode.outputs.cause).toMatch(/xn--bcher-kva\.invalid/);
  });
});

describe("a JUnit report", () => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await Runner.create();
  });
  afterAll(() => runner[Symbol.asyncDispose]());

  it("is written where it was asked for, also of a failure", async () => {
    await using server = await serveHttp(({ url }, response) => {
      response.writeHead(url === "/a" ? 200 : 500).end('<&"]]>\u0001');
    });
    const inputs = { ...QUICK, url: server.url, checks: "[{path: /a}, {path: /b, attempts: 1}]" };
    const junit = "reports/smoke/junit.xml";
    const { outputs } = await runStep(main, { inputs: { ...inputs, junit }, runner });
    expect(outputs).toMatchObject({ verdict: "failed", junit: `${runner.workspace}/${junit}` });
    const { readFile } = await import("node:fs/promises");
    const xml = await readFile(`${runner.workspace}/${junit}`, "utf8");
    expect(xml).toMatch(/<testsuites name="smoke-test" tests="2" failures="1" errors="0"/);
    expect(xml).toContain("&lt;&amp;&quot;]]&gt;");
  });

  it("that cannot be written fails before anything is asked", async () => {
    await runner.write("file", "");
    const inputs = { ...QUICK, url: "http://127.0.0.1:1", junit: "file/junit.xml" };
    const { outputs } = await runStep(main, { inputs, runner });
    expect(outputs.cause).toMatch(/file\/junit\.xml cannot be opened/);
  });
});
