import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { KubernetesObject } from "../../../../shared/kubernetes/index.ts";
import { Neighbourhood } from "../../../../shared/kubernetes/rollout/neighbourhood.ts";
import type { Target } from "../../../../shared/kubernetes/rollout/target.ts";

const NAMESPACE = "shop";
const TARGETS: readonly Target[] = [
  { apiVersion: "apps/v1", kind: "Deployment", namespace: NAMESPACE, name: "web" },
  { apiVersion: "apps/v1", kind: "Deployment", namespace: NAMESPACE, name: "api" },
  { apiVersion: "apps/v1", kind: "StatefulSet", namespace: NAMESPACE, name: "db" },
  { apiVersion: "v1", kind: "Pod", namespace: NAMESPACE, name: "alone" },
  { apiVersion: "v1", kind: "Service", namespace: NAMESPACE, name: "front" },
  {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    namespace: NAMESPACE,
    name: "h",
  },
];
const [WEB, API, DB, ALONE, FRONT, SCALER] = TARGETS;

interface Parts {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid?: string;
  readonly owner?: string | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

function object({ apiVersion, kind, name, uid = name, owner, labels }: Parts): KubernetesObject {
  const controller = owner && { apiVersion: "apps/v1", kind: "Any", name: owner, uid: owner };
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: NAMESPACE,
      uid,
      ...(labels && { labels }),
      ...(controller && { ownerReferences: [{ ...controller, controller: true }] }),
    },
  };
}

const pod = (name: string, owner?: string, labels?: Record<string, string>) =>
  object({ apiVersion: "v1", kind: "Pod", name, owner, ...(labels && { labels }) });
const set = (name: string, owner?: string) =>
  object({ apiVersion: "apps/v1", kind: "ReplicaSet", name, owner });
const event = (name: string, uid: string) =>
  ({
    ...object({ apiVersion: "v1", kind: "Event", name }),
    involvedObject: { uid },
    lastTimestamp: "2026-01-01T00:00:00Z",
  }) as unknown as KubernetesObject;
const service = (selector: Record<string, string>) =>
  ({
    ...object({ apiVersion: "v1", kind: "Service", name: "front" }),
    spec: { selector },
  }) as KubernetesObject;

/** A neighbourhood, and what every target's object is by now. */
class Scene {
  readonly near = new Neighbourhood(TARGETS);
  readonly objects = new Map<string, KubernetesObject>();

  constructor(...objects: readonly KubernetesObject[]) {
    for (const one of objects) this.put(one);
    this.touched();
  }

  put(after: KubernetesObject): void {
    this.#change(keyOf(after), after);
  }

  remove(gone: KubernetesObject): void {
    this.#change(keyOf(gone), undefined);
  }

  touched(): string[] {
    return [...this.near.takeTouched()].map(({ name }) => name).sort();
  }

  podsOf(target: Target | undefined): string[] {
    const found = this.objects.get(keyOf({ ...target, metadata: target } as never));
    if (found === undefined) return [];
    return this.near
      .around(found)
      .pods.map(({ metadata }) => metadata.name)
      .sort();
  }

  #change(key: string, after: KubernetesObject | undefined): void {
    const before = this.objects.get(key);
    const one = after ?? before;
    if (one === undefined) return;
    if (after === undefined) this.objects.delete(key);
    else this.objects.set(key, after);
    const { apiVersion, kind } = one;
    const targets = TARGETS.filter(
      (target) => target.kind === kind && target.name === one.metadata.name,
    );
    this.near.change({ apiVersion, kind, namespace: NAMESPACE }, before, after, targets);
  }
}

function keyOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.name}`;
}

const deployment = (name: string) => object({ apiVersion: "apps/v1", kind: "Deployment", name });
const database = object({ apiVersion: "apps/v1", kind: "StatefulSet", name: "db" });
const scaler = object({ apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", name: "h" });

describe("a change", () => {
  const scene = () =>
    new Scene(
      deployment("web"),
      deployment("api"),
      set("web-1", "web"),
      set("api-1", "api"),
      pod("web-1-a", "web-1"),
      database,
      service({ app: "web" }),
    );

  it.each<readonly [string, (scene: Scene) => void, readonly string[]]>([
    [
      "of a pod concerns the owner of its owner",
      (s) => s.put(pod("web-1-a", "web-1")),
      ["h", "web"],
    ],
    ["of a set's pod concerns the set", (s) => s.put(pod("db-0", "db")), ["db", "h"]],
    ["of a ReplicaSet concerns its owner", (s) => s.put(set("api-2", "api")), ["api"]],
    ["of nobody's pod concerns those that want all", (s) => s.put(pod("x")), ["h"]],
    ["of an event concerns the owner of its pod", (s) => s.put(event("e", "web-1-a")), ["web"]],
    ["of an event about a stranger concerns nobody", (s) => s.put(event("e", "?")), []],
    [
      "of the object itself, and a Service asks for all workloads",
      (s) => s.put(deployment("api")),
      ["api", "front"],
    ],
    [
      "of a pod that a Service selects",
      (s) => s.put(pod("y", undefined, { app: "web" })),
      ["front", "h"],
    ],
    ["the end of a pod", (s) => s.remove(pod("web-1-a", "web-1")), ["h", "web"]],
    ["the end of the object", (s) => s.remove(deployment("web")), ["front", "web"]],
  ])("%s", (_, change, concerned) => {
    const one = scene();
    change(one);
    expect(one.touched()).toEqual(concerned);
  });

  it("concerns everybody at first", () => {
    expect([...new Neighbourhood(TARGETS).takeTouched()]).toEqual(TARGETS);
  });

  it("that comes before its owner is known is there when the owner comes", () => {
    const one = new Scene(pod("web-1-a", "web-1"), set("web-1", "web"), deployment("web"));
    expect(one.podsOf(WEB)).toEqual(["web-1-a"]);
    one.put(event("e", "web-1-a"));
    expect(one.touched()).toEqual(["web"]);
  });

  it("of a Service's selector changes whose pods concern it", () => {
    const one = scene();
    one.put(pod("z", undefined, { tier: "front" }));
    one.put(service({ tier: "front" }));
    expect(one.podsOf(FRONT)).toEqual(["z"]);
    one.touched();
    one.put(pod("z", undefined, { tier: "front", more: "1" }));
    expect(one.touched()).toEqual(["front", "h"]);
  });
});

/** Any change of any object, so that names and owners meet again and again. */
const names = (prefix: string, most: number) =>
  fc.integer({ min: 0, max: most }).map((number) => `${prefix}${number}`);
const change = fc.oneof(
  fc.record({
    gone: fc.boolean(),
    one: fc
      .tuple(
        names("pod", 6),
        fc.option(fc.constantFrom("rs0", "rs1", "rs2", "db", "alone"), { nil: undefined }),
        fc.constantFrom({ app: "web" }, { app: "api" }, { tier: "x" }),
      )
      .map(([name, owner, labels]) => pod(name, owner, labels)),
  }),
  fc.record({
    gone: fc.boolean(),
    one: fc
      .tuple(names("rs", 2), fc.constantFrom("web", "api", undefined))
      .map(([name, owner]) => set(name, owner)),
  }),
  fc.record({
    gone: fc.boolean(),
    one: fc.constantFrom(
      deployment("web"),
      deployment("api"),
      database,
      scaler,
      service({ app: "web" }),
      service({ tier: "x", app: "web" }),
    ),
  }),
);

describe("after any changes", () => {
  it("every target is surrounded by the same pods as if one looked at everything anew", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const scene = new Scene();
        for (const { gone, one } of changes) gone ? scene.remove(one) : scene.put(one);
        const all = [...scene.objects.values()];
        const pods = all.filter(({ kind }) => kind === "Pod");
        const ownedBy = (uids: readonly (string | undefined)[]) =>
          pods
            .filter(({ metadata }) => uids.includes(metadata.ownerReferences?.[0]?.uid))
            .map(({ metadata }) => metadata.name)
            .sort();
        for (const target of [WEB, API]) {
          if (!scene.objects.has(`Deployment ${target?.name}`)) continue;
          const sets = all.filter(
            ({ kind, metadata }) =>
              kind === "ReplicaSet" && metadata.ownerReferences?.[0]?.uid === target?.name,
          );
          const owners = [target?.name, ...sets.map(({ metadata }) => metadata.uid)];
          expect(scene.podsOf(target)).toEqual(ownedBy(owners));
        }
        if (scene.objects.has("StatefulSet db")) expect(scene.podsOf(DB)).toEqual(ownedBy(["db"]));
        if (scene.objects.has("HorizontalPodAutoscaler h")) {
          expect(scene.podsOf(SCALER)).toEqual(pods.map(({ metadata }) => metadata.name).sort());
        }
        expect(scene.podsOf(ALONE)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it("whoever may be concerned by the last one is told", () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), (changes) => {
        const scene = new Scene();
        const pictures = () =>
          TARGETS.map((target) =>
            JSON.stringify([
              scene.podsOf(target),
              scene.objects.get(`${target.kind} ${target.name}`),
            ]),
          );
        for (const { gone, one } of changes) {
          scene.touched();
          const before = pictures();
          gone ? scene.remove(one) : scene.put(one);
          const after = pictures();
          const changed = TARGETS.filter((_, index) => before[index] !== after[index]);
          expect(scene.touched()).toEqual(expect.arrayContaining(changed.map(({ name }) => name)));
        }
      }),
    );
  });
});
