import { describe, expect, it } from "@jest/globals";
import { EventStore } from "../../../../shared/kubernetes/rollout/event-store.ts";
import type { ClusterEvent } from "../../../../shared/kubernetes/workload.ts";

const event = (name: string, uid: string, second: number, reason = name): ClusterEvent => ({
  apiVersion: "v1",
  kind: "Event",
  metadata: { name },
  reason,
  lastTimestamp: new Date(second * 1_000).toISOString(),
  involvedObject: { uid },
});
const reasons = (store: EventStore, uid: string) => store.of(uid).map(({ reason }) => reason);

describe("events", () => {
  it("are kept by object, in order of time, one that comes again once", () => {
    const store = new EventStore();
    store.put(event("b", "pod", 2));
    store.put(event("a", "pod", 1));
    store.put(event("c", "other", 3));
    store.put(event("a", "pod", 5, "a again"));
    expect(reasons(store, "pod")).toEqual(["b", "a again"]);
    expect(reasons(store, "other")).toEqual(["c"]);
    store.remove(event("b", "pod", 2));
    expect(reasons(store, "pod")).toEqual(["a again"]);
    expect(store.of(undefined)).toEqual([]);
  });

  it("of one object are kept to the newest 40", () => {
    const store = new EventStore();
    for (let at = 0; at < 100; at += 1) store.put(event(`e${at}`, "pod", at));
    expect(reasons(store, "pod")).toEqual(Array.from({ length: 40 }, (_, at) => `e${at + 60}`));
  });

  it("of a namespace that is full are let go where it has been quiet for longest", () => {
    const store = new EventStore();
    for (let at = 0; at < 20_000; at += 1) store.put(event(`e${at}`, `pod-${at}`, at));
    store.put(event("e0", "pod-0", 30_000));
    store.put(event("more", "new", 30_001));
    expect(store.of("pod-1")).toEqual([]);
    expect(reasons(store, "pod-0")).toEqual(["e0"]);
    expect(reasons(store, "new")).toEqual(["more"]);
  });
});
