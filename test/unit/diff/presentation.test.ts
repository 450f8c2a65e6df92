import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  differenceData,
  differenceLines,
  differenceMarkdown,
  differenceOf,
} from "../../../shared/diff/index.ts";
import { lineChanges } from "../../../shared/diff/line-changes.ts";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";

const plain = (text: string) => text;

function map(name: string, data: Readonly<Record<string, string>>): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "shop" },
    data,
  } as never;
}

function linesOf(live: KubernetesObject | undefined, desired: KubernetesObject | undefined) {
  const [change] = differenceOf([{ live, desired, complete: true }], plain).objects;
  return change === undefined ? [] : differenceLines(change);
}

describe("lines of a difference", () => {
  it("tell what goes and what comes at each path", () => {
    const lines = linesOf(
      map("a", { mode: "one", gone: "x" }),
      map("a", { mode: "two", new: "y" }),
    );
    expect(lines).toEqual([
      "- data.mode: one",
      "+ data.mode: two",
      "- data.gone: x",
      "+ data.new: y",
    ]);
  });

  it("tell of a long text the lines that differ", () => {
    const text = (line: string) => ["a", "b", "c", "d", line, "e", "f", "g", "h"].join("\n");
    expect(linesOf(map("a", { conf: text("old") }), map("a", { conf: text("new") }))).toEqual([
      "  data.conf:",
      "    ... 2 unchanged lines",
      "    c",
      "    d",
      "-   old",
      "+   new",
      "    e",
      "    f",
      "    ... 2 unchanged lines",
    ]);
  });

  it("show the whole of what is new", () => {
    expect(linesOf(undefined, map("a", { b: "c" }))).toEqual([
      "+ apiVersion: v1",
      "+ kind: ConfigMap",
      "+ metadata:",
      "+   name: a",
      "+   namespace: shop",
      "+ data:",
      "+   b: c",
    ]);
  });

  it("lead from one text to the other", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const changes = lineChanges(before, after).filter(({ text }) => !text.startsWith("..."));
        const gone = changes.filter(({ sign }) => sign === "-").map(({ text }) => text);
        const come = changes.filter(({ sign }) => sign === "+").map(({ text }) => text);
        expect(before.length - gone.length).toBe(after.length - come.length);
        if (before.join() === after.join()) expect([...gone, ...come]).toEqual([]);
      }),
    );
  });
});

describe("a difference in a summary", () => {
  it("opens with the counts, deletions first", () => {
    const difference = differenceOf(
      [
        { live: undefined, desired: map("new", {}) },
        { live: map("old", {}), desired: undefined },
        { live: map("same", {}), desired: map("same", {}) },
      ],
      plain,
    );
    const text = differenceMarkdown(difference, { namespace: "shop" });
    expect(text).toMatch(/^### What changes: 1 removed, 1 added, 1 unchanged\n/);
    expect(text.indexOf("configmap/old is deleted")).toBeLessThan(text.indexOf("configmap/new"));
    expect(text).not.toContain("same");
  });

  it("stays within its limit, and still names what has no room", () => {
    const big = Array.from({ length: 500 }, (_, index) => ({
      live: undefined,
      desired: map(`map-${index}`, { text: "x\n".repeat(500) }),
    }));
    const text = differenceMarkdown(differenceOf(big, plain), { limit: 50_000 });
    expect(Buffer.byteLength(text)).toBeLessThan(60_000);
    expect(text).toMatch(/\d+ more, without room to show them/);
  });

  it("is as safe as its texts are not", () => {
    const hostile = "```\n</details>\n::error::x\u001b[31m";
    const text = differenceMarkdown(
      differenceOf([{ live: undefined, desired: map("a", { hostile }) }], plain),
    );
    expect(text).not.toContain("\u001b");
    expect(text.match(/^````/gm)).toHaveLength(2);
  });

  it("is small as data, too", () => {
    const many = Array.from({ length: 2_000 }, (_, index) => ({
      live: map(`map-${index}`, { text: "a".repeat(900) }),
      desired: map(`map-${index}`, { text: "b".repeat(900) }),
    }));
    const data = differenceData(differenceOf(many, plain));
    expect(JSON.stringify(data).length).toBeLessThan(70_000);
    expect(data.changed).toBe(2_000);
    expect(data.objects.length + (data.leftOut ?? 0)).toBe(2_000);
  });
});
