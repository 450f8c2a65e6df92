import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { lostBuilder } from "../../../shared/buildkit/known-failures.ts";
import { passingCause, waitBefore } from "../../../shared/buildkit/passing.ts";

const push = (why: string) => `failed to push r.io:5000/a/b: ${why}`;

describe("what passes by itself", () => {
  it.each([
    ["unexpected status from HEAD request to http://r/v2/x: 429 Too Many Requests", "limits"],
    ["toomanyrequests: retry-after: 1.2s, allowed: 44000/minute", "limits"],
    ["unexpected status from PUT request to http://r/v2/x: 500 Internal Server Error", "fault"],
    ["unexpected status from POST request to https://r/v2/: 503 Service Unavailable", "fault"],
    ["failed to copy: io: read/write on closed pipe: unexpected EOF", "broke"],
    ['failed to do request: Put "http://r/x?digest=sha256%3A401": EOF', "broke"],
    ["write tcp 10.0.0.1:403->10.0.0.2:443: write: connection reset by peer", "broke"],
    ["http2: server sent GOAWAY and closed the connection", "broke"],
    ['failed to do request: Head "https://r/v2/": net/http: TLS handshake timeout', "slow"],
    ['failed to do request: Head "https://r/v2/": dial tcp 1.2.3.4:443: i/o timeout', "slow"],
    ["unknown: blob upload unknown to registry", "lost track"],
    ["failed to do request: dial tcp 127.0.0.1:1: connect: connection refused", "reached"],
  ])("%s", (why, expected) => {
    expect(passingCause(push(why))?.why).toContain(expected);
  });

  it("is so for the image that a build starts from, too", () => {
    const error =
      "r.io/x:1: failed to resolve source metadata for r.io/x:1: unexpected status from HEAD request to https://r.io/v2/x/manifests/1: 502 Bad Gateway";
    expect(passingCause(error)?.why).toContain("fault");
  });

  it("is so for a registry's token service, too", () => {
    const asked =
      "GET request to https://r.io/token?scope=repository%3Aa%2F403%3Apull&service=r.io";
    const status = (code: string) =>
      `failed to authorize: failed to fetch anonymous token: unexpected status from ${asked}: ${code}`;
    expect(passingCause(status("503 Service Unavailable"))?.why).toContain("fault");
    expect(passingCause(status("401 Unauthorized"))).toBeUndefined();
  });

  it.each([
    push("denied: permission_denied: write_package"),
    push("unexpected status from POST request to http://r/v2/a/blobs/uploads/: 403 Forbidden"),
    push("401 Unauthorized"),
    push("unexpected status from PUT request to http://r/v2/: 507 Insufficient Storage"),
    push("unexpected status from PATCH request to http://r/v2/: 413 Request Entity Too Large"),
    push('failed to do request: Head "https://r/v2/": dial tcp: lookup r: no such host'),
    push("tls: failed to verify certificate: x509: certificate signed by unknown authority"),
    push("unknown: manifest invalid"),
    // A status must not be read out of a digest, a port, a path.
    push('failed to do request: Head "http://127.0.0.1:503/v2/a/blobs/sha256:500": odd'),
    'process "/bin/sh -c curl http://x" did not complete successfully: exit code: 500',
    'process "/bin/sh -c failed to push x: 503" did not complete successfully: exit code: 1',
    'process "/bin/sh -c npm ci" did not complete successfully: EOF',
    "",
  ])("is not: %s", (error) => {
    expect(passingCause(error)).toBeUndefined();
  });
});

describe("a BuildKit that was lost", () => {
  it.each([
    "failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
    "rpc error: code = Unavailable desc = closing transport due to: connection error",
    "rpc error: code = Unavailable desc = connection error: desc = transport: error while dialing",
    'failed to receive status: rpc error: code = Unavailable desc = closing transport due to: connection error: desc = "error reading from server: EOF", received prior goaway: code: NO_ERROR',
    "Unavailable: error reading from server: EOF",
  ])("is known by: %s", (error) => expect(lostBuilder(error)).toBe(true));

  it.each([
    'process "/bin/sh -c echo code = Unavailable" did not',
    push("EOF"),
    push("error reading from server: EOF"),
    "exit code: 1",
    "",
  ])("is not by: %s", (error) => {
    expect(lostBuilder(error)).toBe(false);
  });
});

it("waits longer from try to try, never more than 36 s, and not all at the same moment", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, r) => {
        const wait = waitBefore(n, r);
        expect(wait).toBeGreaterThanOrEqual(800);
        expect(wait).toBeLessThanOrEqual(36_000);
        expect(waitBefore(n + 1, r)).toBeGreaterThanOrEqual(wait);
      },
    ),
  );
});
