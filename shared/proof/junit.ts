import type { Finding } from "./finding.ts";
import type { Verification } from "./verification.ts";

/**
 * A verification as JUnit XML: a test suite for the backup, a test case for each item that was
 * compared and for each finding that speaks against it.
 *
 * Source: the JUnit schema as Jenkins and GitLab read it; only attributes that both know.
 */
export function junit(verification: Verification): string {
  const { name, backup, items, findings, phases, verified } = verification;
  const against = findings.filter(({ weight }) => weight !== "note");
  const named = new Set(against.map(({ subject }) => subject));
  const sound = items.filter((item) => item.same === true && !named.has(item.name));
  const seconds = Math.max(0, ...phases.map(({ to }) => to)) / 1_000;
  const cases = [
    `    <testcase classname="${escaped(name)}.${verification.reached}" name="reached ${verification.tier}"${verification.reached === verification.tier ? "/>" : `><failure message="only ${verification.reached} was reached"/></testcase>`}`,
    ...sound.map(
      (item) => `    <testcase classname="${escaped(name)}.data" name="${escaped(item.name)}"/>`,
    ),
    ...against.map((finding) => failed(name, finding)),
  ];
  const failures = against.length + (verification.reached === verification.tier ? 0 : 1);
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="0"`;
  const suite = `name="${escaped(name)} ${escaped(backup)}" ${counts} time="${seconds.toFixed(3)}" timestamp="${escaped(verified)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts} time="${seconds.toFixed(3)}">`,
    `  <testsuite ${suite}>`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function failed(name: string, { detector, tier, subject, what, weight }: Finding): string {
  const head = `    <testcase classname="${escaped(name)}.${tier}" name="${escaped(`${detector}: ${subject}`)}">`;
  return `${head}<failure type="${weight}" message="${escaped(what)}"/></testcase>`;
}

/** Text for an attribute; what XML 1.0 cannot hold at all becomes a question mark. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "?")
    .replace(
      /[&<>"'\n\r\t]/g,
      (sign) =>
        ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" })[sign] ??
        `&#${sign.charCodeAt(0)};`,
    );
}
