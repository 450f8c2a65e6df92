import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  bytesFreed,
  deletionGroups,
  type Judged,
  judge,
  type Rules,
  type Stored,
  tagPattern,
  type Use,
} from "../../../shared/retention/index.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 31);
const hex = (seed: string) => Buffer.from(seed.padEnd(32, "~")).toString("hex");
const digest = (seed: string) => `sha256:${hex(seed)}`;

function stored(name: string, given: Partial<Stored> = {}): Stored {
  return {
    ...{ digest: digest(name), tags: [name], kind: "image", children: [], subject: undefined },
    ...{
      config: digest(`${name} config`),
      blobs: [{ digest: digest(`${name} layer`), size: 100 }],
    },
    ...{ bytes: 10, created: undefined, time: NOW - 100 * DAY },
    ...given,
  };
}

const none: Rules = { keepLast: 0, keepYoungerThan: 0, keepTags: [], now: NOW };

function kept(
  repository: readonly Stored[],
  uses: readonly Use[] = [],
  rules: Partial<Rules> = {},
) {
  const judged = judge(repository, uses, { ...none, ...rules });
  const name = ({ digest: one }: Stored) =>
    Buffer.from(one.slice(7), "hex").toString().split("~")[0];
  const pairs = judged.filter(({ keep }) => keep).map((each) => [name(each.stored), each.reasons]);
  return Object.fromEntries(pairs) as Record<string, readonly string[]>;
}

describe("what is kept", () => {
  const index = stored("index", { kind: "index", children: [digest("amd64"), digest("papers")] });
  const parts = [stored("amd64", { tags: [] }), stored("papers", { tags: [] })];

  it.each<[string, Parameters<typeof kept>, Record<string, readonly string[]>]>([
    ["nothing, where no rule says so", [[stored("a")]], {}],
    [
      "what is in use by its digest",
      [[stored("a"), stored("b")], [{ digest: digest("a"), by: "Pod x" }]],
      { a: ["in use by Pod x"] },
    ],
    [
      "what is in use by its tag",
      [[stored("a", { tags: ["v7"] })], [{ tag: "v7", by: "Pod x" }]],
      { a: ["in use by Pod x"] },
    ],
    [
      "what is in use by its configuration's digest, as some nodes call images",
      [[stored("a")], [{ digest: digest("a config"), by: "Pod x" }]],
      { a: ["in use by Pod x"] },
    ],
    [
      "the newest",
      [
        [
          stored("old"),
          stored("new", { time: NOW - DAY }),
          stored("loose", { tags: [], time: NOW }),
        ],
        [],
        { keepLast: 1 },
      ],
      { new: ["one of the newest 1"] },
    ],
    [
      "what is young, tagged or not",
      [
        [stored("a", { time: NOW - DAY }), stored("b", { tags: [], time: NOW - DAY }), stored("c")],
        [],
        { keepYoungerThan: 2 * DAY },
      ],
      { a: ["of 2026-01-30, too young"], b: ["of 2026-01-30, too young"] },
    ],
    [
      "what has a tag to be kept",
      [
        [stored("a", { tags: ["x", "v1.2.3"] }), stored("b")],
        [],
        { keepTags: [tagPattern("semver")] },
      ],
      { a: ["tag v1.2.3 (semver)"] },
    ],
    [
      "what is of unknown age",
      [[stored("a", { time: undefined })]],
      { a: ["its age is not known"] },
    ],
    ["a build cache", [[stored("a", { kind: "cache" })]], { a: ["build cache"] }],
    ["what is no image", [[stored("chart", { kind: "artifact" })]], { chart: ["no image"] }],
    [
      "the parts of an index, and what is about it or them",
      [
        [
          ...[index, ...parts],
          stored("signature", { tags: [`sha256-${hex("index")}.sig`] }),
          stored("sbom", { tags: [], kind: "artifact", subject: digest("amd64") }),
          stored("signed", { tags: [], kind: "artifact", subject: digest("sbom") }),
        ],
        [{ digest: digest("index"), by: "x" }],
      ],
      {
        index: ["in use by x"],
        amd64: [`part of ${digest("index").slice(0, 19)}`],
        papers: [`part of ${digest("index").slice(0, 19)}`],
        signature: [`about ${digest("index").slice(0, 19)}`],
        sbom: [`about ${digest("amd64").slice(0, 19)}`],
        signed: [`about ${digest("sbom").slice(0, 19)}`],
      },
    ],
    [
      "the index of which one platform runs, and with it the others",
      [[index, ...parts], [{ digest: digest("amd64"), by: "Pod x" }]],
      {
        index: [`holds ${digest("amd64").slice(0, 19)}`],
        amd64: ["in use by Pod x"],
        papers: [`part of ${digest("index").slice(0, 19)}`],
      },
    ],
    [
      "a part that is shared, and not the other index that shares it",
      [
        [index, ...parts, stored("other", { kind: "index", children: [digest("amd64")] })],
        [{ digest: digest("index"), by: "x" }],
      ],
      {
        index: ["in use by x"],
        amd64: [`part of ${digest("index").slice(0, 19)}`],
        papers: [`part of ${digest("index").slice(0, 19)}`],
      },
    ],
    [
      "no signature of what is gone, unless it is young",
      [
        [
          stored("orphan", { tags: [`sha256-${hex("gone")}.sig`] }),
          stored("young", { tags: [`sha256-${hex("lost")}.sig`], time: NOW }),
        ],
        [],
        { keepYoungerThan: DAY },
      ],
      { young: ["of 2026-01-31, too young"] },
    ],
  ])("is %s", (_, given, expected) => {
    expect(kept(...given)).toEqual(expected);
  });
});

describe("the order of deletion", () => {
  const names = (groups: readonly (readonly Stored[])[]) =>
    groups.map((group) =>
      group.map((one) => Buffer.from(one.digest.slice(7), "hex").toString().split("~")[0]),
    );

  it("is each image before its parts, a shared part after the last that holds it", () => {
    const repository = [
      stored("shared", { tags: [] }),
      stored("one", { kind: "index", children: [digest("shared"), digest("own")] }),
      stored("own", { tags: [] }),
      stored("two", { kind: "index", children: [digest("shared")] }),
      stored("signature", { tags: [`sha256-${hex("two")}.sig`] }),
    ];
    const groups = deletionGroups(judge(repository, [], none));
    expect(names(groups)).toEqual([
      ["one", "own"],
      ["two", "shared", "signature"],
    ]);
  });

  it("counts bytes that only what is deleted holds", () => {
    const base = { digest: digest("base"), size: 1_000 };
    const own = (name: string) => ({ digest: digest(`${name} own`), size: 7 });
    const repository = [
      stored("a", { blobs: [base, own("a")] }),
      stored("b", { blobs: [base, own("b")] }),
      stored("c", { blobs: [own("c"), own("c")] }),
    ];
    const judged = judge(repository, [{ tag: "a", by: "x" }], none);
    expect(bytesFreed(judged)).toBe(7 + 7 + 10 + 10);
  });
});

/** Repositories as they may be: images, indexes over some of them, and things about any. */
const repositories = fc
  .record({
    images: fc.array(fc.record({ tagged: fc.boolean(), age: fc.integer({ min: 0, max: 60 }) }), {
      maxLength: 12,
    }),
    indexes: fc.array(fc.array(fc.nat(11), { maxLength: 3 }), { maxLength: 5 }),
    about: fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 5 }),
  })
  .map(({ images, indexes, about }) => {
    const all: Stored[] = images.map(({ tagged, age }, at) =>
      stored(`i${at}`, { tags: tagged ? [`i${at}`] : [], time: NOW - age * DAY }),
    );
    for (const [at, children] of indexes.entries()) {
      const digests = [...new Set(children)].flatMap((each) => all[each]?.digest ?? []);
      all.push(stored(`x${at}`, { kind: "index", children: digests, time: NOW - at * DAY }));
    }
    for (const [at, [target, byTag]] of about.entries()) {
      const subject = all[target]?.digest ?? digest("gone");
      const tags = byTag ? [`${subject.replace(":", "-")}.sig`] : [];
      const given = byTag ? {} : { subject, kind: "artifact" as const };
      all.push(stored(`s${at}`, { tags, ...given }));
    }
    return all;
  });
const useOf = fc.nat(30).map((at) => at);
const cases = fc.tuple(
  repositories,
  fc.array(useOf, { maxLength: 4 }),
  fc.record({ keepLast: fc.nat(5), keepYoungerThan: fc.nat(40).map((days) => days * DAY) }),
);

function decided([repository, used, rules]: [Stored[], number[], Partial<Rules>]) {
  const uses = used.flatMap((at): Use[] => {
    const one = repository[at];
    return one === undefined ? [] : [{ digest: one.digest, by: "somebody" }];
  });
  const judged = judge(repository, uses, { ...none, ...rules });
  return { uses, judged, deleted: deletionGroups(judged).flat() };
}

const isKept = (judged: readonly Judged[]) =>
  new Set(judged.filter(({ keep }) => keep).map(({ stored: { digest: one } }) => one));

describe("whatever a repository holds", () => {
  it("nothing in use is deleted, nor any part of what is kept, nor what is about it", () => {
    fc.assert(
      fc.property(cases, (given) => {
        const { uses, judged, deleted } = decided(given);
        const keep = isKept(judged);
        const gone = new Set(deleted.map((one) => one.digest));
        for (const use of uses) expect(gone.has(use.digest ?? "")).toBe(false);
        for (const { stored: one } of judged) {
          if (!keep.has(one.digest)) continue;
          for (const child of one.children) expect(gone.has(child)).toBe(false);
        }
        for (const one of deleted) {
          if (one.subject !== undefined) expect(keep.has(one.subject)).toBe(false);
        }
      }),
    );
  });

  it("what is not kept is deleted, each once, and never a part before what holds it", () => {
    fc.assert(
      fc.property(cases, (given) => {
        const { judged, deleted } = decided(given);
        expect(deleted.length + isKept(judged).size).toBe(judged.length);
        const at = new Map(deleted.map((one, index) => [one.digest, index]));
        expect(at.size).toBe(deleted.length);
        for (const [index, { children }] of deleted.entries()) {
          for (const child of children) expect(at.get(child) ?? Infinity).toBeGreaterThan(index);
        }
      }),
    );
  });

  it("a second run at the same time finds nothing more to delete", () => {
    fc.assert(
      fc.property(cases, (given) => {
        const [repository, , rules] = given;
        const { uses, judged } = decided(given);
        const keep = isKept(judged);
        const left = repository.filter((one) => keep.has(one.digest));
        expect(deletionGroups(judge(left, uses, { ...none, ...rules }))).toEqual([]);
      }),
    );
  });

  it("cancelled after any image, what is left is whole, and the next run deletes the rest", () => {
    fc.assert(
      fc.property(cases, fc.nat(20), (given, stop) => {
        const [repository, , rules] = given;
        const { uses, judged, deleted } = decided(given);
        const done = deletionGroups(judged).slice(0, stop).flat();
        const gone = new Set(done.map((one) => one.digest));
        const left = repository.filter((one) => !gone.has(one.digest));
        for (const { children } of left) {
          for (const child of children) expect(gone.has(child)).toBe(false);
        }
        const next = deletionGroups(judge(left, uses, { ...none, ...rules })).flat();
        const all = new Set([...done, ...next].map((one) => one.digest));
        expect(all).toEqual(new Set(deleted.map((one) => one.digest)));
      }),
    );
  });

  it("one more use never costs an image", () => {
    fc.assert(
      fc.property(cases, fc.nat(20), ([repository, used, rules], more) => {
        const before = isKept(decided([repository, used, rules]).judged);
        const after = isKept(decided([repository, [...used, more], rules]).judged);
        for (const one of before) expect(after.has(one)).toBe(true);
      }),
    );
  });
});
