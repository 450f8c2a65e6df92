import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { jsonIn, WebApi, wordsOf } from "../../../shared/web-api/index.ts";

/** A server that does with each request what the list says, the last for all further ones. */
async function server(...answers: readonly RequestListener[]) {
  const asked: string[] = [];
  const http = createServer((request, answer) => {
    const next = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(`${request.method} ${request.url}`);
    next?.(request, answer);
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const { port } = http.address() as AddressInfo;
  return {
    asked,
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

function webApi(environment = {}) {
  const slept: number[] = [];
  const sleep = async (milliseconds: number) => void slept.push(milliseconds);
  const clock = { now: () => Date.UTC(2026, 0, 1), sleep };
  return { slept, api: new WebApi({ clock, environment }) };
}

const { signal } = new AbortController();
const request = (origin: string, path = "/") => ({
  ...{ method: "GET" as const, url: new URL(path, origin), signal, service: "The service" },
});
const status =
  (code: number, headers = {}): RequestListener =>
  (_, answer) =>
    answer.writeHead(code, headers).end(JSON.stringify({ message: `${code}` }));

describe("asking a web service", () => {
  it("tries again what passes, and waits as long as it is told to", async () => {
    await using there = await server(
      status(503),
      status(429, { "retry-after": "7" }),
      status(403, { "retry-after": "60" }),
      status(200),
    );
    const { api, slept } = webApi();
    using asking = api;
    const answer = await asking.ask(request(there.origin));
    expect(jsonIn(answer)).toEqual({ message: "200" });
    expect(slept).toEqual([250, 7_000, 60_000]);
  });

  it("gives back what waiting does not change, redirects too", async () => {
    await using there = await server(status(403), status(307, { location: "http://127.0.0.1:9/" }));
    using asking = webApi().api;
    expect((await asking.ask(request(there.origin))).status).toBe(403);
    expect((await asking.ask(request(there.origin))).status).toBe(307);
    expect(there.asked).toHaveLength(2);
  });

  it("tries a broken line again, and says at last what is wrong with it", async () => {
    await using there = await server((incoming) => incoming.socket.resetAndDestroy());
    using asking = webApi().api;
    await expect(asking.ask(request(there.origin, "/token?secret=1"))).rejects.toMatchObject({
      title: "The service cannot be reached",
      cause: expect.stringMatching(/^GET http:\/\/127\.0\.0\.1:\d+\/token: .*ECONNRESET/),
    });
    expect(there.asked).toHaveLength(4);
  });

  it("leaves a machine's own service that says nothing, after asking once", async () => {
    await using there = await server(() => {});
    using asking = webApi({ HTTP_PROXY: "http://127.0.0.1:9" }).api;
    const silent = { ...request(there.origin), near: true, silence: 100 };
    await expect(asking.ask(silent)).rejects.toMatchObject({
      cause: expect.stringContaining("no answer for 0.1 s"),
    });
    expect(there.asked).toHaveLength(1);
  });

  it("stops when it is told to", async () => {
    await using there = await server(() => {});
    using asking = webApi().api;
    const abort = new AbortController();
    const asked = asking.ask({ ...request(there.origin), signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });
});

describe("the words of a refusal", () => {
  it.each([
    ['{"error":"invalid_grant","error_description":"No.\\r\\nTrace: 1"}', "invalid_grant: No."],
    ['{"error":{"code":403,"message":"Denied on resource"}}', "Denied on resource"],
    ['{"__type":"com.amazon#AccessDenied","message":"no"}', "AccessDenied: no"],
    ["<E><Error><Code>X</Code><Message>why</Message></Error></E>", "X: why"],
    ['{"message":"Bad credentials"}', "Bad credentials"],
    ['{"errors":[{"code":"UNAUTHORIZED","message":"who"}]}', "UNAUTHORIZED: who"],
    ["<html>a page</html>", ""],
    ["plain words", "plain words"],
    ["", ""],
  ])("%s", (text, words) => {
    expect(wordsOf({ status: 400, headers: {}, text })).toBe(words);
  });
});
