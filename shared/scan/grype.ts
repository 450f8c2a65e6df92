import { type Finding, oneLine, type ScannedPlatform, severityOf } from "./finding.ts";
import { ReportPart } from "./report-reader.ts";

/** How grype is asked for the vulnerabilities of an image as the registry holds it. */
export function grypeArguments(image: string, platform: string): readonly string[] {
  return [`registry:${image}`, "--platform", platform, "--output", "json"];
}

/**
 * Reads what `grype --output json` prints.
 *
 * Source: github.com/anchore/grype, grype/presenter/models.
 *
 * @throws {FormatError} when it is not that.
 */
export function readGrype(text: string): ScannedPlatform {
  const report = ReportPart.parse(text);
  const database = report.key("descriptor").key("db");
  const built = database.absent ? undefined : builtIn(database);
  return {
    findings: report.key("matches").items().map(readMatch),
    subject: report.key("source").key("target").key("manifestDigest").optionalText(),
    database: built,
    leftOut: report.key("ignoredMatches").optionalItems().length,
  };
}

/** Older versions have it one level higher. */
function builtIn(database: ReportPart): string | undefined {
  const status = database.key("status");
  return (status.absent ? database : status).key("built").optionalText();
}

function readMatch(match: ReportPart): Finding {
  const vulnerability = match.key("vulnerability");
  const artifact = match.key("artifact");
  const fix = vulnerability.key("fix");
  const versions = fix.absent ? [] : fix.key("versions").optionalItems();
  const related = match.key("relatedVulnerabilities").optionalItems();
  const own = oneLine(vulnerability.key("description").value);
  return {
    id: vulnerability.key("id").text(),
    aliases: related.map((each) => each.key("id").text()),
    severity: severityOf(vulnerability.key("severity").text()),
    package: artifact.key("name").text(),
    installed: artifact.key("version").optionalText() ?? "",
    fixed: versions.map((each) => each.text()).join(", ") || undefined,
    title: own || related.map((each) => oneLine(each.key("description").value)).find(Boolean) || "",
  };
}
