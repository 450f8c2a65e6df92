import { describe, expect, it } from "@jest/globals";
import type { Finding } from "../../../shared/scan/finding.ts";
import type { IgnoreEntry } from "../../../shared/scan/ignore-list.ts";
import { judgeFindings, unusedEntries } from "../../../shared/scan/judge-findings.ts";

const now = Date.parse("2026-11-21T20:00:00Z");

const finding = (
  id: string,
  severity: Finding["severity"],
  more: Partial<Finding> = {},
): Finding => ({
  id,
  severity,
  aliases: [],
  package: "left-pad",
  installed: "1.0.0",
  fixed: "2.0.0",
  title: "",
  ...more,
});

const entry = (id: string, more: Partial<IgnoreEntry> = {}): IgnoreEntry => ({
  id,
  package: undefined,
  service: undefined,
  until: "2026-12-01",
  reason: "known",
  line: 1,
  ...more,
});

function judge(
  findings: readonly Finding[],
  rules: Partial<Parameters<typeof judgeFindings>[2]> = {},
) {
  const scanned = { findings, platform: "linux/amd64", subject: "", database: "", leftOut: 0 };
  const all = { threshold: "high" as const, onlyFixed: false, ignore: [], ...rules };
  return judgeFindings("web", [scanned], all, now);
}

const ids = (findings: readonly Finding[]) => findings.map(({ id }) => id);

describe("findings", () => {
  const all = [
    finding("low", "low"),
    finding("unknown", "unknown"),
    finding("critical", "critical"),
    finding("medium", "medium"),
    finding("high", "high", { fixed: undefined }),
    finding("negligible", "negligible"),
  ];

  it.each([
    ["critical" as const, ["critical"]],
    ["high" as const, ["critical", "high"]],
    ["medium" as const, ["critical", "high", "medium"]],
    ["low" as const, ["critical", "high", "medium", "low"]],
  ])("fail from %s on, worst first", (threshold, failing) => {
    const judged = judge(all, { threshold });
    expect(ids(judged.failing)).toEqual(failing);
    expect(judged.below).toHaveLength(all.length - failing.length);
  });

  it("without a fix are let through where that is asked for", () => {
    const judged = judge(all, { onlyFixed: true });
    expect(ids(judged.failing)).toEqual(["critical"]);
    expect(ids(judged.unfixed)).toEqual(["high"]);
  });

  it.each<[string, IgnoreEntry, boolean]>([
    ["by its name", entry("critical"), true],
    ["by its name in other letters", entry("CRITICAL"), true],
    ["by another name of it", entry("CVE-1"), true],
    ["in its package", entry("critical", { package: "left-pad" }), true],
    ["in another package", entry("critical", { package: "other" }), false],
    ["in its service", entry("critical", { service: "web" }), true],
    ["in another service", entry("critical", { service: "api" }), false],
    ["until yesterday", entry("critical", { until: "2026-11-20" }), false],
    ["of another name", entry("high"), false],
  ])("are ignored %s: %j", (_, given, isIgnored) => {
    const judged = judge([finding("critical", "critical", { aliases: ["CVE-1"] })], {
      ignore: [given],
    });
    expect(judged.ignored).toHaveLength(isIgnored ? 1 : 0);
    expect(judged.failing).toHaveLength(isIgnored ? 0 : 1);
    expect(judged.expired).toEqual(given.until < "2026-11-21" ? [given] : []);
  });

  it("of several platforms are told once", () => {
    const scanned = (platform: string, findings: readonly Finding[]) => {
      return { platform, findings, subject: "", database: "", leftOut: 0 };
    };
    const judged = judgeFindings(
      "web",
      [
        scanned("linux/amd64", [finding("a", "high"), finding("a", "high")]),
        scanned("linux/arm64", [finding("a", "high"), finding("b", "high")]),
      ],
      { threshold: "high", onlyFixed: false, ignore: [] },
      now,
    );
    expect(judged.failing.map(({ id, platforms }) => [id, platforms])).toEqual([
      ["a", ["linux/amd64", "linux/arm64"]],
      ["b", ["linux/arm64"]],
    ]);
  });
});

it("entries that ignore nothing are unused, but for those of services not looked at", () => {
  const used = entry("critical");
  const unused = entry("gone");
  const elsewhere = entry("gone", { service: "api" });
  const expired = entry("high", { until: "2026-01-01" });
  const ignore = [used, unused, elsewhere, expired];
  const findings = judge([finding("critical", "critical"), finding("high", "high")], { ignore });
  expect(unusedEntries(ignore, [{ service: "web", findings }])).toEqual([unused]);
});
