import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { describe, UserError } from "../../shared/failure/index.ts";
import type { CheckReport, Report } from "./report.ts";

/** A file that was opened before the work, so that it cannot turn out later that it may not be. */
export interface JunitFile {
  readonly path: string;
  write(report: Report): Promise<void>;
}

/**
 * Opens the file for the JUnit report, with the folders on its way.
 *
 * @throws {UserError} when it cannot be written to.
 */
export async function openJunit(path: string, workspace: string): Promise<JunitFile> {
  const full = resolve(workspace, path);
  try {
    await mkdir(dirname(full), { recursive: true });
    const file = await open(full, "w");
    return {
      path: full,
      async write(report) {
        try {
          await file.writeFile(junitOf(report));
        } finally {
          await file.close();
        }
      },
    };
  } catch (error) {
    throw new UserError(
      {
        title: "The JUnit report cannot be written",
        cause: `${full} cannot be opened: ${describe(error)}.`,
        remedy: "Give the input junit the path of a file in the workspace; nothing was asked yet.",
      },
      { reason: error },
    );
  }
}

/**
 * The report as JUnit XML: a suite for each target, a case for each check. Times in seconds.
 *
 * Source: the form that Jenkins' junit-plugin and its followers read, jenkins-junit.xsd.
 */
export function junitOf(report: Report): string {
  const suites = Map.groupBy(report.checks, ({ target }) => target);
  const totals = `${countsOf(report.checks)} time="${report.seconds.toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="smoke-test" ${totals}>`,
    ...[...suites].flatMap(([target, checks]) => suiteOf(target, checks)),
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteOf(target: string, checks: readonly CheckReport[]): string[] {
  const seconds = Math.max(0, ...checks.map((check) => check.seconds));
  const skipped = checks.filter(isSkipped).length;
  const counts = `${countsOf(checks)} skipped="${skipped}" time="${seconds.toFixed(3)}"`;
  return [
    `  <testsuite name=${attribute(target)} ${counts}>`,
    ...checks.flatMap(caseOf),
    "  </testsuite>",
  ];
}

function countsOf(checks: readonly CheckReport[]): string {
  const failures = checks.filter((check) => !check.passed && !isSkipped(check)).length;
  return `tests="${checks.length}" failures="${failures}" errors="0"`;
}

/** It was never tried: there was no time left, or the job was cancelled. */
function isSkipped({ attempts, passed }: CheckReport): boolean {
  return !passed && attempts === 0;
}

function caseOf(check: CheckReport): string[] {
  const time = Math.max(0, check.seconds - check.from).toFixed(3);
  const head = `    <testcase name=${attribute(check.name)} classname=${attribute(`smoke-test.${check.type}`)} time="${time}"`;
  if (check.passed) return [`${head}/>`];
  const why = check.reasons.join("; ");
  if (isSkipped(check))
    return [`${head}>`, `      <skipped message=${attribute(why)}/>`, "    </testcase>"];
  const words = [why, check.excerpt ?? ""].filter((part) => part !== "").join("\n\n");
  return [
    `${head}>`,
    `      <failure message=${attribute(why)} type="smoke-test">${escaped(words)}</failure>`,
    "    </testcase>",
  ];
}

function attribute(text: string): string {
  // A line break within an attribute would be read as a blank.
  return `"${escaped(text).replaceAll("\n", "&#10;").replaceAll("\t", "&#9;")}"`;
}

/** What XML 1.0 may not hold, not even as a reference: section 2.2. */
const FORBIDDEN = /[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

function escaped(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(FORBIDDEN, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
