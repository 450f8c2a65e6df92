import { describe, expect, it } from "@jest/globals";
import { judgeLease, type Lease } from "../../../shared/lease/lease.ts";

const now = Date.parse("2026-01-01T12:00:00Z");
const lease = (ageSeconds: number, holderIdentity = "run/1"): Lease => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "seaworthy-shop" },
  spec: {
    holderIdentity,
    leaseDurationSeconds: 15,
    renewTime: new Date(now - ageSeconds * 1_000).toISOString(),
  },
});

describe("a lease", () => {
  it.each([
    ["renewed just now", 0, 0, "held"],
    ["renewed by a clock that is ahead of ours", -30, 2, "held"],
    ["a clock ahead of ours that stands still", -30, 15, "dead"],
    ["past its time, just seen", 16, 0, "perhaps-dead"],
    ["past its time, watched for less than two renewals take", 16, 5, "perhaps-dead"],
    ["past its time, and watched long enough", 22, 6, "dead"],
    ["past its time by more than clocks differ", 61, 0, "dead"],
  ])("%s", (_, age, unchanged, verdict) => {
    expect(judgeLease(lease(age), now, unchanged * 1_000)).toBe(verdict);
  });

  it("without a holder is free", () => {
    expect(judgeLease(lease(0, ""), now, 0)).toBe("free");
  });
});
