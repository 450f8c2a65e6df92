import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { validateXML } from "xmllint-wasm";
import { junitOf } from "../../../actions/smoke-test/junit.ts";
import type { CheckReport, Report } from "../../../actions/smoke-test/report.ts";

const schema = readFileSync(join(import.meta.dirname, "junit.xsd"), "utf8");

function check(parts: Partial<CheckReport>): CheckReport {
  return {
    ...{ name: "GET /", type: "http", target: "http://a.test", subject: "GET http://a.test/" },
    ...{ passed: true, undecided: false, attempts: 1, from: 0, seconds: 0.5, answer: "200" },
    ...{ status: 200, latency: 1, latencies: null, bytes: 2, complete: true, pods: [] },
    ...{ versions: {}, note: null, reasons: [], excerpt: null },
    ...parts,
  };
}

function report(checks: readonly CheckReport[]): Report {
  const passed = checks.every((each) => each.passed);
  return { target: "t", passed, seconds: 1.25, pods: [], proofs: [], checks };
}

/** What a parser of XML that knows the schema finds wrong; and the document as it read it. */
async function read(xml: string) {
  const file = { fileName: "junit.xml", contents: xml };
  const { errors, normalized } = await validateXML({ xml: [file], schema, normalization: "c14n" });
  return { errors: errors.map(({ message }) => message), normalized };
}

const HOSTILE = [
  `<script>alert("1")</script> & ' ]]> <![CDATA[ <?xml ?> <!-- --> &amp; &#0;`,
  "\u0000\u0001\u001b[31mred\u001b[0m\u007f\u0085\r\n\ttab\u2028\ufffe\uffff\ud800 lone",
  "größe 😀 \u202e backwards",
];

describe("a JUnit report", () => {
  it("keeps to the schema, whatever the checks and their words", async () => {
    const checks = [
      check({}),
      check({ name: "skipped", passed: false, attempts: 0, reasons: ["it was not tried"] }),
      ...HOSTILE.map((text) =>
        check({ name: text, target: text, passed: false, reasons: [text, text], excerpt: text }),
      ),
    ];
    const { errors } = await read(junitOf(report(checks)));
    expect(errors).toEqual([]);
  });

  it("counts what passed, failed and was not tried, by target", () => {
    const xml = junitOf(
      report([
        check({}),
        check({ passed: false, reasons: ["the status is 500", "no body"], from: 0.2 }),
        check({ target: "deployment/db", passed: false, attempts: 0 }),
      ]),
    );
    expect(xml).toContain(
      '<testsuites name="smoke-test" tests="3" failures="1" errors="0" time="1.250">',
    );
    expect(xml).toContain(
      '<testsuite name="http://a.test" tests="2" failures="1" errors="0" skipped="0" time="0.500">',
    );
    expect(xml).toContain(
      '<testsuite name="deployment/db" tests="1" failures="0" errors="0" skipped="1" time="0.500">',
    );
    expect(xml).toContain('<failure message="the status is 500; no body" type="smoke-test">');
    expect(xml).toContain('classname="smoke-test.http" time="0.300"');
  });

  it("says what was said, as a parser reads it", async () => {
    const { normalized = "" } = await read(
      junitOf(report([check({ passed: false, reasons: ['a < b & "c"\nd'] })])),
    );
    expect(normalized).toContain('message="a &lt; b &amp; &quot;c&quot;&#xA;d"');
  });

  it("would be found wrong by the schema if it were", async () => {
    const xml = junitOf(report([check({})]));
    expect((await read(xml.replace("tests=", "test="))).errors).not.toEqual([]);
    expect((await read(xml.replace("</testsuites>", ""))).errors).not.toEqual([]);
  });
});
