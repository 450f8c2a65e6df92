import { describe, expect, it } from "@jest/globals";
import { nextStep } from "../../../shared/probe/next-step.ts";
import { explain } from "../../../shared/probe/unanswered.ts";

describe("nextStep", () => {
  const situation = { now: 5_000, deadline: 60_000, interval: 1_000, patience: Infinity, since: 0 };

  it.each([
    ["time left", {}, "try-again"],
    ["the next attempt would start at the deadline", { now: 59_000 }, "out-of-time"],
    ["the next attempt would start just before it", { now: 58_999 }, "try-again"],
    ["the deadline has passed", { now: 61_000 }, "out-of-time"],
    ["no patience at all", { patience: 0, since: 5_000 }, "give-up-now"],
    ["patience not used up", { patience: 10_000 }, "try-again"],
    ["patience used up", { patience: 5_000 }, "give-up-now"],
    ["patience counts from when the trouble began", { patience: 5_000, since: 1_000 }, "try-again"],
    ["no patience wins over the deadline", { patience: 0, now: 60_000 }, "give-up-now"],
  ])("%s", (_, change, step) => {
    expect(nextStep({ ...situation, ...change })).toBe(step);
  });
});

function error(code: string, message = "words"): Error {
  return Object.assign(new Error(message), { code });
}

const parserError = Object.assign(new Error("Expected HTTP/"), { name: "HTTPParserError" });

describe("explain", () => {
  it.each<[unknown, string, number, RegExp]>([
    [error("ENOTFOUND"), "name", 10_000, /h:1 is not known to DNS \(ENOTFOUND\)/],
    [error("EAI_AGAIN"), "name", Infinity, /DNS gave no answer for h:1/],
    [error("ECONNREFUSED"), "refused", Infinity, /h:1 refuses connections/],
    [new AggregateError([error("ECONNREFUSED")]), "refused", Infinity, /h:1 refuses/],
    [error("EHOSTUNREACH"), "unreachable", Infinity, /cannot be reached/],
    [error("UND_ERR_CONNECT_TIMEOUT"), "timeout", Infinity, /does not accept connections/],
    [error("CERT_HAS_EXPIRED"), "certificate", 0, /not valid here: words \(CERT_HAS_EXPIRED\)/],
    [error("DEPTH_ZERO_SELF_SIGNED_CERT"), "certificate", 0, /certificate of h:1/],
    [error("ERR_TLS_CERT_ALTNAME_INVALID"), "certificate", 0, /certificate of h:1/],
    [error("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "certificate", 0, /certificate of h:1/],
    [
      error(
        "ERR_SSL_WRONG_VERSION_NUMBER",
        "C0:error:0A00010B:SSL routines:tls_get:wrong version number:../x.c:77:",
      ),
      "not-tls",
      0,
      /TLS with h:1 failed: wrong version number$/,
    ],
    [parserError, "not-http", Infinity, /not answer in proper HTTP/],
    [error("ECONNRESET"), "broken-off", Infinity, /broke the connection off: words \(ECONNRESET\)/],
    [
      new Error("outer", { cause: error("UND_ERR_SOCKET", "other side closed") }),
      "broken-off",
      Infinity,
      /other side closed/,
    ],
    [error("X", "Proxy response (407) !== 200 when HTTP Tunneling"), "proxy", 0, /status 407/],
    [
      error("X", "Proxy response (502) !== 200 when HTTP Tunneling"),
      "proxy",
      Infinity,
      /status 502/,
    ],
    [new Error("new words"), "other", Infinity, /the request to h:1 failed: new words/],
    ["thrown text", "other", Infinity, /thrown text/],
  ])("%s", (thrown, trouble, patience, words) => {
    const explained = explain(thrown, "h:1");
    expect(explained).toMatchObject({ trouble, patience });
    expect(explained.message).toMatch(words);
  });
});
