import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { standingOf, superfluous } from "../../../shared/apply-set/history.ts";
import { pack, type RevisionContent, unpack } from "../../../shared/apply-set/record.ts";
import {
  LABELS,
  type RecordSecret,
  recordSecrets,
  revisionsFrom,
} from "../../../shared/apply-set/revision.ts";

const set = { name: "shop", namespace: "prod" };

function content(text: string): RevisionContent {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { text } };
  return {
    objects: [{ object, origin: "a.yaml" }],
    changes: [],
    earlier: [],
    images: [],
    before: [],
    strays: [],
  };
}

function recorded(
  revision: number,
  status: string,
  more: { left?: boolean; text?: string } = {},
): RecordSecret[] {
  const head = { revision, appliedAt: "2026-01-01T00:00:00Z", by: "me", version: `v${revision}` };
  const secrets = recordSecrets(set, head, [], pack(content(more.text ?? `${revision}`)));
  return secrets.map((secret) => {
    if (secret.metadata.labels?.[LABELS.part] !== "0") return secret;
    const { labels, annotations } = secret.metadata;
    const left = more.left === true ? { "seaworthy.dev/left": "true" } : {};
    return {
      ...secret,
      metadata: {
        ...secret.metadata,
        labels: { ...labels, [LABELS.status]: status },
        annotations: { ...annotations, ...left },
      },
    };
  });
}

describe("a record", () => {
  it("gives back what was written, in as many parts as it takes", () => {
    const large = content(randomBytes(1_500_000).toString("base64"));
    const packed = pack(large);
    expect(packed.parts.length).toBe(2);
    for (const part of packed.parts) expect(part.length).toBeLessThanOrEqual(900 * 1024);
    expect(unpack(packed)).toEqual(large);
  });

  it("is small where objects are alike", () => {
    const objects = Array.from({ length: 500 }, (_, index) => ({
      object: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: `a-${index}` },
        data: { text: "x".repeat(200) },
      },
      origin: `a.yaml, document ${index}`,
    }));
    const [part] = pack({ ...content(""), objects }).parts;
    expect(part?.length).toBeLessThan(6_000);
  });

  it("whose head is there is whole; parts without one are no revision", () => {
    const large = recorded(1, "good", { text: randomBytes(1_500_000).toString("base64") });
    expect(large.map(({ metadata }) => metadata.name)).toEqual([
      "applyset-shop.v1.1",
      "applyset-shop.v1",
    ]);
    expect(revisionsFrom(large)[0]?.objects()).toHaveLength(1);
    expect(revisionsFrom(large.slice(0, 1))).toEqual([]);
  });

  it.each([
    ["a part that is missing", (all: RecordSecret[]) => all.slice(1), /of 2 parts there are 1/],
    [
      "a part that was changed",
      (all: RecordSecret[]) =>
        all.map((one, index) => (index === 0 ? { ...one, data: { revision: "AAAA" } } : one)),
      /not what was written/,
    ],
  ])("is told as damaged for %s", (_, damage, words) => {
    const all = recorded(1, "good", { text: randomBytes(1_500_000).toString("base64") });
    const [revision] = revisionsFrom(damage(all));
    expect(revision?.revision).toBe(1);
    expect(() => revision?.objects()).toThrow(words);
  });

  it("tells its head without its content", () => {
    expect(
      revisionsFrom([...recorded(2, "failed"), ...recorded(10, "good"), ...recorded(1, "good")]),
    ).toMatchObject([
      { revision: 1, status: "good", version: "v1", by: "me" },
      { revision: 2, status: "failed" },
      { revision: 10, status: "good" },
    ]);
  });
});

describe("a history", () => {
  it.each([
    ["nothing", [], undefined, undefined, 0],
    ["a good one", [recorded(1, "good")], 1, undefined, 1],
    [
      "one that failed and was put back",
      [recorded(1, "good"), recorded(2, "failed")],
      1,
      undefined,
      2,
    ],
    [
      "one that failed and was left",
      [recorded(1, "good"), recorded(2, "failed", { left: true })],
      1,
      2,
      2,
    ],
    ["one that a run left behind", [recorded(1, "good"), recorded(2, "pending")], 1, 2, 2],
    ["none that was ever good", [recorded(1, "pending")], undefined, 1, 1],
    [
      "one that was left, and a good one after it",
      [recorded(1, "pending"), recorded(2, "good")],
      2,
      undefined,
      2,
    ],
    ["an unknown word", [recorded(1, "odd")], undefined, 1, 1],
  ])("of %s says what to go back to", (_, secrets, good, unfinished, last) => {
    const standing = standingOf(revisionsFrom(secrets.flat()));
    expect([standing.good?.revision, standing.unfinished?.revision, standing.last]).toEqual([
      good,
      unfinished,
      last,
    ]);
  });

  it("keeps as many good revisions as are asked for, and the heads of what failed among them", () => {
    const all = [
      ...recorded(1, "good"),
      ...recorded(2, "failed"),
      ...recorded(3, "good"),
      ...recorded(4, "failed"),
      ...recorded(5, "good"),
    ];
    expect(superfluous(all, 2)).toEqual(["applyset-shop.v1", "applyset-shop.v2"]);
    expect(superfluous(all, 10)).toEqual([]);
  });

  it("drops parts that no head counts", () => {
    const orphan = recorded(7, "good", { text: randomBytes(1_500_000).toString("base64") }).slice(
      0,
      1,
    );
    expect(superfluous([...recorded(1, "good"), ...orphan], 5)).toEqual(["applyset-shop.v7.1"]);
  });
});
