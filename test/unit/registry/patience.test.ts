import { describe, expect, it } from "@jest/globals";
import { Patience, retryAfter } from "../../../shared/registry/patience.ts";

const clock = { now: () => 1_000, sleep: async () => {} };
const answer = (status: number, headers = {}, words = "") => ({
  status,
  headers,
  body: Buffer.from(words),
});
const error = (code: string) => Object.assign(new Error(code), { code });

function pauses(known: boolean, next: (patience: Patience) => { wait: number } | undefined) {
  const patience = new Patience(clock, known);
  const waits: number[] = [];
  for (let retry = next(patience); retry !== undefined; retry = next(patience)) {
    waits.push(retry.wait);
    if (waits.length > 20) break;
  }
  return waits;
}

describe("patience", () => {
  it.each([408, 429, 500, 502, 503, 504])("with %s grows, and ends", (status) => {
    const waits = pauses(true, (patience) => patience.afterAnswer(answer(status)));
    expect(waits).toHaveLength(6);
    const sum = waits.reduce((total, wait) => total + wait, 0);
    expect(sum).toBeGreaterThan(11_000);
    expect(sum).toBeLessThan(20_000);
    expect(waits.at(-1)).toBeGreaterThan(waits[0] ?? 0);
  });

  it.each([200, 201, 301, 400, 401, 403, 404, 405, 413, 416, 507])("is not for %s", (status) => {
    expect(pauses(true, (patience) => patience.afterAnswer(answer(status)))).toEqual([]);
  });

  it("with a registry that never answered well ends after 5 s", () => {
    const waits = pauses(false, (patience) => patience.afterAnswer(answer(503)));
    const sum = waits.reduce((total, wait) => total + wait, 0);
    expect(sum).toBeGreaterThan(3_500);
    expect(sum).toBeLessThan(6_000);
  });

  it("is not for a registry that is full, and is for one that limits by a quota of requests", () => {
    const full = (patience: Patience) =>
      patience.afterAnswer(answer(500, {}, "write: no space left on device"));
    expect(pauses(true, full)).toEqual([]);
    const limited = (patience: Patience) =>
      patience.afterAnswer(answer(429, {}, "quota exceeded for requests"));
    expect(pauses(true, limited)).toHaveLength(6);
  });

  it("waits as long as it is asked to, but not for ever", () => {
    const asked = (seconds: number) => (patience: Patience) =>
      patience.afterAnswer(answer(429, { "retry-after": `${seconds}` }));
    expect(pauses(true, asked(20))[0]).toBe(20_000);
    expect(pauses(true, asked(3_600))).toEqual([]);
  });

  it.each([
    ["ECONNRESET", true, 6],
    ["EPIPE", false, 3],
    ["HPE_INVALID_CONSTANT", true, 6],
    ["ECONNREFUSED", true, 6],
    ["ECONNREFUSED", false, 0],
    ["ENOTFOUND", false, 0],
    ["CERT_HAS_EXPIRED", true, 0],
    ["ETIMEDOUT", true, 2],
  ])("after %s, known before: %s, tries %s times more", (code, known, times) => {
    expect(pauses(known, (patience) => patience.afterError(error(code)))).toHaveLength(times);
  });

  it("is spread, so that runs that failed together do not return together", () => {
    const first = () => new Patience(clock, true).afterAnswer(answer(500))?.wait ?? 0;
    expect(new Set(Array.from({ length: 50 }, first)).size).toBeGreaterThan(5);
  });
});

it.each([
  [undefined, 0],
  ["2", 2_000],
  ["9999", 9_999_000],
  ["Thu, 01 Jan 1970 00:00:05 GMT", 4_000],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["soon", 0],
])("Retry-After %s means %s ms", (given, expected) => {
  expect(retryAfter({ headers: given === undefined ? {} : { "retry-after": given } }, 1_000)).toBe(
    expected,
  );
});
