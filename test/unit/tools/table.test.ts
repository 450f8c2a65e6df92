import { describe, expect, it } from "@jest/globals";
import { parseMirrors } from "../../../actions/setup-tools/mirrors.ts";
import { builtInTable } from "../../../shared/tools/built-in-table.ts";
import { findTool, newest } from "../../../shared/tools/choose.ts";
import { addressOf } from "../../../shared/tools/mirror.ts";
import { parseOwnTable } from "../../../shared/tools/table.ts";
import { compareVersions, parseRange, parseVersion } from "../../../shared/version/index.ts";

const tools = Object.keys(builtInTable);

describe.each(tools)("the table of %s", (name) => {
  const table = builtInTable[name];
  const rows = Object.entries(table?.versions ?? {});

  it("is of the form that users' own tables have", () => {
    const { aliases, checksums, refused, ...rest } = table ?? { versions: {} };
    expect(() => parseOwnTable(JSON.stringify({ [name]: rest }))).not.toThrow();
  });

  it("has a checksum for each platform that it knows, and different ones", () => {
    const platforms = Object.keys(table?.platforms ?? {}).sort();
    expect(platforms).toEqual(expect.arrayContaining(["linux-amd64", "linux-arm64"]));
    for (const [version, { sha256 }] of rows) {
      expect([version, Object.keys(sha256).sort()]).toEqual([version, platforms]);
    }
    const all = rows.flatMap(([, { sha256 }]) => Object.values(sha256));
    expect(all.filter((hex) => !/^[0-9a-f]{64}$/.test(hex))).toEqual([]);
    expect(new Set(all).size).toBe(all.length);
  });

  it("is in the order of its versions, none of them a pre-release", () => {
    const versions = rows.map(([version]) => parseVersion(version));
    expect([...versions].sort(compareVersions)).toEqual(versions);
    expect(versions.filter(({ preRelease }) => preRelease !== "")).toEqual([]);
  });

  it("tells where each row is from", () => {
    expect(rows.filter(([, { agreeing }]) => (agreeing?.length ?? 0) === 0)).toEqual([]);
  });

  it("has none that is refused", () => {
    expect(rows.filter(([version]) => version in (table?.refused ?? {}))).toEqual([]);
  });

  it("fetches over HTTPS only", () => {
    const { releases } = findTool(name, builtInTable, {});
    expect(releases.length).toBe(rows.length * Object.keys(table?.platforms ?? {}).length);
    expect(releases.filter(({ url }) => url.protocol !== "https:")).toEqual([]);
    expect(releases.filter(({ url }) => /[{}]/.test(decodeURI(url.href)))).toEqual([]);
  });
});

describe("the choice of a release", () => {
  const choose = (name: string, range: string, own = "{}") => {
    const tool = findTool(name, builtInTable, parseOwnTable(own));
    return newest(tool, parseRange(range), "linux-amd64");
  };
  const hex = "a".repeat(64);

  it.each([
    ["kubectl", "1.35", "1.35.1"],
    ["helm", "3", "3.21.4"],
    ["helm", "~4.2", "4.2.4"],
    ["pg_dump", "17", "17.10"],
    ["crane", "<0.22", "0.21.7"],
    ["trivy", "0.69", undefined],
    ["kubectl", "2", undefined],
  ])("of %s %s is %s", (name, range, version) => {
    expect(choose(name, range)?.version.text).toBe(version);
  });

  it("latest is the newest one, by number", () => {
    const own = `{crane: {versions: {0.9.0: {linux-amd64: ${hex}}, 0.100.0: {linux-amd64: ${hex}}}}}`;
    expect(choose("crane", "latest", own)?.version.text).toBe("0.100.0");
  });

  it("has a row of the user's own go before ours", () => {
    const release = choose("helm", "4.3.0", `{helm: {versions: {4.3.0: {linux-amd64: ${hex}}}}}`);
    expect(release).toMatchObject({ sha256: hex, table: "own" });
    expect(release?.url.href).toBe("https://get.helm.sh/helm-v4.3.0-linux-amd64.tar.gz");
  });

  it("reads versions of own tables as they are written", () => {
    const own = `{postgresql-client: {versions: {17.20: {linux-amd64: ${hex}}}}}`;
    expect(choose("psql", "latest", own)?.version.text).toBe("17.20");
  });
});

describe("the address of a file", () => {
  const helm = findTool("helm", builtInTable, {});
  const release = newest(helm, parseRange("4.3.0"), "linux-amd64");

  it.each([
    [undefined, "https://get.helm.sh/helm-v4.3.0-linux-amd64.tar.gz"],
    ["https://m.example/", "https://m.example/helm-v4.3.0-linux-amd64.tar.gz"],
    ["https://m.example/a/b", "https://m.example/a/b/helm-v4.3.0-linux-amd64.tar.gz"],
    [
      "https://m.example/{host}/{path}",
      "https://m.example/get.helm.sh/helm-v4.3.0-linux-amd64.tar.gz",
    ],
    ["https://m.example/{tool}/{version}/{platform}", "https://m.example/helm/4.3.0/linux-amd64"],
    ["http://m.example:8080/{file}", "http://m.example:8080/helm-v4.3.0-linux-amd64.tar.gz"],
  ])("by the mirror %s", (mirror, address) => {
    expect(release && addressOf(release, mirror).href).toBe(address);
  });

  it("is told by one mirror for all, and others for one tool each", () => {
    expect(parseMirrors("https://a.example\nhelm = https://b.example/?x=1\n")).toEqual({
      all: "https://a.example",
      byTool: { helm: "https://b.example/?x=1" },
    });
  });
});
