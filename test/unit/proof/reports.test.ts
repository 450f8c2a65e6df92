import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { validateXML } from "xmllint-wasm";
import {
  type Finding,
  junit,
  metrics,
  verdictOf,
  verificationPage,
  verificationSummary,
} from "../../../shared/proof/index.ts";
import { verification } from "./verification.ts";

const schema = readFileSync(join(import.meta.dirname, "..", "smoke-test", "junit.xsd"), "utf8");
const hostile = `<script>alert(1)</script> "&' ]]> | \`x\` \u0000\n${"#".repeat(3)}`;

const lost: Finding = {
  ...{ detector: "row-count", tier: "data", weight: "damage", subject: "table public.orders" },
  what: "998 rows were found where 1,000 were.",
};
const otherOwner: Finding = {
  ...{ detector: "catalog", tier: "data", weight: "note", subject: "table public.orders" },
  what: "It belongs to app, and belonged to owner.",
};
const damaged = verification({
  verdict: "failed",
  findings: [otherOwner, lost, { ...lost, subject: hostile, what: hostile }],
  items: [
    { name: "public.orders", expected: 1_000, found: 998, same: false },
    { name: "public.users", expected: 10, found: 10, same: true },
    { name: hostile, expected: undefined, found: undefined, same: undefined },
  ],
  unknown: [hostile],
  circumstances: { [hostile]: hostile },
  phases: [{ name: "restore", from: 0, to: 12_500, failed: false }],
  trend: [1, 2].map((day) => ({
    ...{ backup: `${day}`, taken: `2026-11-2${day}T00:00:00Z`, bytes: day * 1e9, rows: day },
    ...{ restoreSeconds: day === 1 ? undefined : 4, verdict: day === 1 ? undefined : "passed" },
  })),
  evidence: [{ file: "dump", bytes: 12, sha256: "ab".repeat(32) }],
});

describe("the verdict", () => {
  it.each([
    ["nothing found", [], "data", "data", "passed"],
    ["only notes", [otherOwner], "data", "data", "passed"],
    ["damage", [lost], "data", "data", "failed"],
    ["doubt", [{ ...lost, weight: "doubt" }], "integrity", "integrity", "failed"],
    ["less than was asked for", [], "full", "data", "failed"],
    ["more than was asked for", [], "integrity", "data", "passed"],
  ] as const)("%s", (_, findings, asked, reached, expected) => {
    expect(verdictOf(findings, asked, reached)).toBe(expected);
  });
});

describe("the JUnit report", () => {
  it("keeps to the schema and counts what failed", async () => {
    const xml = junit(damaged);
    const { errors } = await validateXML({
      xml: [{ fileName: "junit.xml", contents: xml }],
      schema,
    });
    expect(errors).toEqual([]);
    expect(xml).toContain('tests="4" failures="2"');
  });

  it("fails where the tier was not reached", () => {
    expect(junit(verification({ tier: "full" }))).toContain(
      'message="It was looked at only as far as data."',
    );
  });
});

describe("the metrics", () => {
  it("give a sample for each gauge that was measured, and none for the others", () => {
    const text = metrics(
      verification({ name: 'a"b\\c', objectives: { ...damaged.objectives, rto: undefined } }),
    );
    expect(text).toContain(
      'seaworthy_backup_verified{backup="a\\"b\\\\c",kind="postgres",tier="data"} 1\n',
    );
    expect(text).toContain("seaworthy_backup_taken_timestamp_seconds{");
    expect(text).not.toContain("seaworthy_backup_rto_seconds");
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(/^(# (HELP|TYPE) seaworthy_\w+ .+|seaworthy_\w+\{[^}]*\} -?[\d.e+]+)$/);
    }
  });

  it("tell of damage", () => {
    expect(metrics(damaged)).toMatch(/seaworthy_backup_verified\{.*\} 0\n/);
    expect(metrics(damaged)).toMatch(/seaworthy_backup_items_different\{.*\} 1\n/);
    expect(metrics(damaged)).toMatch(/seaworthy_backup_damages\{.*\} 2\n/);
  });
});

describe("the page and the summary", () => {
  it("hold nothing that a page or a summary would run", () => {
    expect(verificationPage(damaged)).not.toContain("<script");
    expect(verificationSummary(damaged)).not.toContain("<script");
  });

  it("open with the verdict, and name what was lost before what only differs", () => {
    for (const text of [verificationPage(damaged), verificationSummary(damaged)]) {
      const places = ["Backup papers is damaged", "998 rows were found", "It belongs to app"];
      const at = places.map((words) => text.indexOf(words));
      expect(at).not.toContain(-1);
      expect(at).toEqual(at.toSorted((a, b) => a - b));
    }
  });

  it("do not call proven what was compared with nothing", () => {
    expect(verificationSummary(verification())).toMatch(
      /^## ✅ Backup papers can be restored; what/,
    );
  });

  it("say what was proven and how far", () => {
    const items = [{ name: "public.orders", expected: 1, found: 1, same: true }];
    expect(verificationSummary(verification({ items }))).toMatch(
      /^## ✅ Backup papers is proven \\?\(data\\?\)/,
    );
    expect(verificationPage(verification())).toContain("5 h 56 min");
  });
});
