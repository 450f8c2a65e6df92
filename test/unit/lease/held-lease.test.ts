import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { ApiError, type Cluster, Unreachable } from "../../../shared/kubernetes/index.ts";
import { HeldLease, type Lease, takeLease } from "../../../shared/lease/lease.ts";

const LEASE: Lease = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "seaworthy-shop", resourceVersion: "1" },
  spec: { holderIdentity: "run/1" },
};
const CLAIM = {
  name: "seaworthy-shop",
  namespace: "shop",
  subject: "release shop",
  holder: "run/1",
};
const away = new Unreachable("https://shop.example", new Error("ECONNRESET"));
const taken = new ApiError(
  { title: "Conflict", cause: "It was changed.", remedy: "Look." },
  { status: 409, reason: "Conflict", message: "the object has been modified" },
);

/** What the API server answers to a renewal. */
let answer: () => Promise<Lease>;
let lease: HeldLease;

beforeEach(() => {
  jest.useFakeTimers();
  answer = async () => LEASE;
  const cluster = { patch: () => answer(), delete: async () => {} } as unknown as Cluster;
  lease = new HeldLease(cluster, CLAIM, LEASE);
});
afterEach(async () => {
  await lease.release({ delete: async () => {} } as unknown as Cluster);
  jest.useRealTimers();
});

describe("a lease in our hands", () => {
  it("is not lost while the API server is away, however long", async () => {
    answer = () => Promise.reject(away);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(lease.lost.aborted).toBe(false);
    answer = async () => LEASE;
    expect(await lease.confirm()).toBe(true);
  });

  it("is lost when the next renewal tells that another run has it", async () => {
    answer = () => Promise.reject(taken);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(lease.lost.aborted).toBe(true);
    expect(await lease.confirm()).toBe(false);
  });
});

describe("a lease whose making was on its way when the job was cancelled", () => {
  it("is given back", async () => {
    const cancel = new AbortController();
    const deleted: string[] = [];
    const cluster = {
      boundTo: () => cluster,
      find: async () => undefined,
      create: async () => {
        cancel.abort(new Error("cancelled"));
        return LEASE;
      },
      delete: async ({ name }: { readonly name: string }) => void deleted.push(name),
    } as unknown as Cluster;
    const waiting = {
      clock: { now: () => 0, sleep: async () => {} },
      signal: cancel.signal,
      aftermath: new AbortController().signal,
      timeout: 1_000,
      onWait: () => {},
    };
    await expect(takeLease(cluster, CLAIM, waiting)).rejects.toThrow("cancelled");
    expect(deleted).toEqual(["seaworthy-shop"]);
  });
});
