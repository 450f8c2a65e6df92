/** A suite of cases. Times in seconds. */
export interface JunitSuite {
  readonly name: string;
  readonly seconds: number;
  readonly cases: readonly JunitCase[];
}

export interface JunitCase {
  readonly name: string;
  /** What readers group cases by, parts separated by dots. */
  readonly className: string;
  readonly seconds: number;
  /** Present where it failed; `words` is the longer text. */
  readonly failure?:
    | { readonly message: string; readonly type: string; readonly words: string }
    | undefined;
  /** Present where it was never tried: why. */
  readonly skipped?: string | undefined;
}

/**
 * Suites as one JUnit XML document.
 *
 * Source: the form that Jenkins' junit-plugin and its followers read, jenkins-junit.xsd.
 */
export function junitDocument(
  name: string,
  seconds: number,
  suites: readonly JunitSuite[],
): string {
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${attribute(name)} ${countsOf(all)} time="${seconds.toFixed(3)}">`,
    ...suites.flatMap(suiteOf),
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteOf({ name, seconds, cases }: JunitSuite): string[] {
  const skipped = cases.filter((each) => each.skipped !== undefined).length;
  const counts = `${countsOf(cases)} skipped="${skipped}" time="${seconds.toFixed(3)}"`;
  return [
    `  <testsuite name=${attribute(name)} ${counts}>`,
    ...cases.flatMap(caseOf),
    "  </testsuite>",
  ];
}

function countsOf(cases: readonly JunitCase[]): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  return `tests="${cases.length}" failures="${failures}" errors="0"`;
}

function caseOf({ name, className, seconds, failure, skipped }: JunitCase): string[] {
  const time = Math.max(0, seconds).toFixed(3);
  const head = `    <testcase name=${attribute(name)} classname=${attribute(className)} time="${time}"`;
  if (skipped !== undefined) {
    return [`${head}>`, `      <skipped message=${attribute(skipped)}/>`, "    </testcase>"];
  }
  if (failure === undefined) return [`${head}/>`];
  const { message, type, words } = failure;
  return [
    `${head}>`,
    `      <failure message=${attribute(message)} type=${attribute(type)}>${escaped(words)}</failure>`,
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
