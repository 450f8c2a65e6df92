import { describe, expect, it } from "@jest/globals";
import { grypeArguments, readGrype } from "../../../shared/scan/grype.ts";
import { readTrivy, trivyArguments } from "../../../shared/scan/trivy.ts";

// As grype 0.110 printed it, shortened.
const GRYPE = {
  matches: [
    {
      vulnerability: {
        id: "GHSA-1",
        namespace: "github:language:javascript",
        severity: "Critical",
        description: "semver\n loops",
        fix: { versions: ["7.5.2", "6.3.1"], state: "fixed" },
      },
      relatedVulnerabilities: [{ id: "CVE-2026-1", description: "other" }],
      artifact: { name: "semver", version: "7.0.0", type: "npm" },
    },
    {
      vulnerability: {
        id: "CVE-2026-2",
        severity: "Negligible",
        fix: { versions: [], state: "wont-fix" },
      },
      relatedVulnerabilities: [],
      artifact: { name: "tar", version: "" },
    },
  ],
  ignoredMatches: [{}],
  source: { type: "image", target: { manifestDigest: "sha256:abc", userInput: "x" } },
  descriptor: { name: "grype", db: { status: { built: "2026-11-21T21:01:39Z", valid: true } } },
};

// The form of trivy's own report, schema version 2.
const TRIVY = {
  SchemaVersion: 2,
  ArtifactType: "container_image",
  Metadata: { ImageID: "sha256:config", RepoDigests: ["x@sha256:abc"] },
  Results: [
    { Target: "debian 12", Class: "os-pkgs" },
    {
      Target: "Node.js",
      Vulnerabilities: [
        {
          VulnerabilityID: "CVE-2026-1",
          VendorIDs: ["GHSA-1"],
          PkgName: "semver",
          InstalledVersion: "7.0.0",
          FixedVersion: "7.5.2, 6.3.1",
          Severity: "CRITICAL",
          Title: "semver loops",
        },
        { VulnerabilityID: "CVE-2", PkgName: "tar", InstalledVersion: "1", Severity: "UNKNOWN" },
      ],
    },
  ],
};

describe("grype", () => {
  it("is read", () => {
    expect(readGrype(JSON.stringify(GRYPE))).toEqual({
      subject: "sha256:abc",
      database: "2026-11-21T21:01:39Z",
      leftOut: 1,
      findings: [
        {
          id: "GHSA-1",
          aliases: ["CVE-2026-1"],
          severity: "critical",
          package: "semver",
          installed: "7.0.0",
          fixed: "7.5.2, 6.3.1",
          title: "semver loops",
        },
        {
          id: "CVE-2026-2",
          aliases: [],
          severity: "negligible",
          package: "tar",
          installed: "",
          fixed: undefined,
          title: "",
        },
      ],
    });
  });

  it("is read in the form of older versions", () => {
    const older = { ...GRYPE, descriptor: { db: { built: "2024-01-01", schemaVersion: 5 } } };
    expect(readGrype(JSON.stringify(older)).database).toBe("2024-01-01");
  });

  it("is asked for the registry's image of one platform", () => {
    expect(grypeArguments("r/a@sha256:1", "linux/arm64")).toEqual(
      "registry:r/a@sha256:1 --platform linux/arm64 --output json".split(" "),
    );
  });
});

describe("trivy", () => {
  it("is read", () => {
    expect(readTrivy(JSON.stringify(TRIVY))).toMatchObject({
      subject: "sha256:config",
      leftOut: 0,
      findings: [
        { id: "CVE-2026-1", aliases: ["GHSA-1"], severity: "critical", fixed: "7.5.2, 6.3.1" },
        { id: "CVE-2", severity: "unknown", fixed: undefined, title: "" },
      ],
    });
  });

  it("of an image with nothing in it that can be vulnerable is read", () => {
    const { Results: _, ...empty } = TRIVY;
    expect(readTrivy(JSON.stringify(empty)).findings).toEqual([]);
  });

  it("is asked for the registry's image, not the local docker's", () => {
    const words = trivyArguments("r/a@sha256:1", "linux/arm64").join(" ");
    expect(words).toMatch(/^image .*--image-src remote --platform linux\/arm64 r\/a@sha256:1$/);
  });

  it.each([
    [
      "another version of the report",
      { ...TRIVY, SchemaVersion: 3 },
      /schema version 3, known is 2/,
    ],
    ["no version", {}, /schema version undefined/],
    ["results of another form", { ...TRIVY, Results: {} }, /report\.Results is no list/],
    [
      "a finding without a severity",
      { ...TRIVY, Results: [{ Vulnerabilities: [{ VulnerabilityID: "X", PkgName: "p" }] }] },
      /Results\[0\]\.Vulnerabilities\[0\]\.Severity is no text/,
    ],
  ])("with %s is refused", (_, report, message) => {
    expect(() => readTrivy(JSON.stringify(report))).toThrow(message);
  });
});
