import { describe, expect, it } from "@jest/globals";
import { retryAfter } from "../../../shared/kubernetes/transport.ts";

describe("a server that asks for a later try", () => {
  it.each([
    [429, "1", 1_000],
    [503, "0.5", 500],
    [500, "3", 3_000],
    [429, "3600", 10_000],
    [429, undefined, undefined],
    [429, "Wed, 21 Oct 2026 07:28:00 GMT", undefined],
    [503, "-1", undefined],
    [409, "1", undefined],
    [200, "1", undefined],
  ])("answers %s with %s: the next try comes after %s ms", (status, header, pause) => {
    expect(retryAfter(status, header)).toBe(pause);
  });
});
