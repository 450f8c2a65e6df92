import { FormatError } from "../failure/index.ts";
import { type Finding, oneLine, type ScannedPlatform, severityOf } from "./finding.ts";
import { ReportPart } from "./report-reader.ts";

/** How trivy is asked for the vulnerabilities of an image as the registry holds it. */
export function trivyArguments(image: string, platform: string): readonly string[] {
  const what = ["--scanners", "vuln", "--image-src", "remote", "--platform", platform];
  // Its own limit of five minutes would cut short what ours allows.
  return ["image", "--quiet", "--format", "json", "--timeout", "24h", ...what, image];
}

/**
 * Reads what `trivy image --format json` prints.
 *
 * Source: github.com/aquasecurity/trivy, pkg/types/report.go, schema version 2.
 *
 * @throws {FormatError} when it is not that.
 */
export function readTrivy(text: string): ScannedPlatform {
  const report = ReportPart.parse(text);
  const version = report.key("SchemaVersion").value;
  if (version !== 2) {
    throw new FormatError(`its report has the schema version ${String(version)}, known is 2`);
  }
  const metadata = report.key("Metadata");
  const results = report.key("Results").optionalItems();
  return {
    findings: results.flatMap((each) =>
      each.key("Vulnerabilities").optionalItems().map(readVulnerability),
    ),
    subject: metadata.absent ? undefined : metadata.key("ImageID").optionalText(),
    database: undefined,
    leftOut: results.flatMap((each) => each.key("ExperimentalModifiedFindings").optionalItems())
      .length,
  };
}

function readVulnerability(given: ReportPart): Finding {
  return {
    id: given.key("VulnerabilityID").text(),
    aliases: given
      .key("VendorIDs")
      .optionalItems()
      .map((each) => each.text()),
    severity: severityOf(given.key("Severity").text()),
    package: given.key("PkgName").text(),
    installed: given.key("InstalledVersion").optionalText() ?? "",
    fixed: given.key("FixedVersion").optionalText(),
    title: oneLine(given.key("Title").value) || oneLine(given.key("Description").value),
  };
}
