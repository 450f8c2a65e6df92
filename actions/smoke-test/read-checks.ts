import { duration, flag, type Schema, yaml } from "../../shared/action/index.ts";
import { FormatError, nearestName } from "../../shared/failure/index.ts";
import {
  type Expectation,
  parseStatusSet,
  type StatusSet,
  type TextExpectation,
} from "../../shared/http/index.ts";
import { inexactInteger, parseJsonPath } from "../../shared/json/index.ts";
import { Findings, textOf, textsOf } from "./findings.ts";
import { readHeaders, secretsOfHeader } from "./headers.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const MOST_CHECKS = 100;
const KEYS = [
  "name",
  "method",
  "path",
  "headers",
  "request-body",
  "follow-redirects",
  "status",
  "response-headers",
  "body",
  "json",
  "max-latency",
] as const;

/** A check as the user wrote it; what is undefined comes from the action's other inputs. */
export interface CheckSpec {
  readonly name: string | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly status: StatusSet | undefined;
  readonly followRedirects: boolean | undefined;
  readonly expectation: Omit<Expectation, "status">;
}

/** The input `checks`: a list of checks, every problem in it reported at once. */
export const checkList: Schema<readonly CheckSpec[]> = {
  safeParse(value) {
    const findings = new Findings();
    const data = readList(value, findings);
    if (findings.problems.length === 0) return { success: true, data };
    const issues = findings.problems.map((message) => ({ path: [], message }));
    return { success: false, error: { issues } };
  },
};

const LIKE_A_SECRET = /(?:auth|cookie|credential|key|password|secret|token)[\w-]*["']?\s*:(.+)/gi;

/** Values of request headers, which may be credentials. */
export function secretsOfChecks(raw: string): readonly string[] {
  const headers: (readonly [string, unknown])[] = [];
  let readable = false;
  const collector: Schema<undefined> = {
    safeParse(value) {
      readable = true;
      for (const check of Array.isArray(value) ? value : []) {
        headers.push(...Object.entries(Object(Object(check).headers)));
      }
      return { success: true, data: undefined };
    },
  };
  new Findings().read("", () => yaml(collector, {}).parse(raw));
  // The message that says so quotes the beginning of what cannot be read.
  if (!readable) return [...raw.matchAll(LIKE_A_SECRET)].map(([, value = ""]) => value.trim());
  return headers.flatMap(([name, value]) => secretsOfHeader(name, String(value)));
}

function readList(value: unknown, findings: Findings): CheckSpec[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_CHECKS) {
    const form = "each starting with a dash";
    findings.problems.push(`it must be a list of 1 to ${MOST_CHECKS} checks, ${form}`);
    return [];
  }
  return value.map((item, index) => readCheck(item, `check ${index + 1}`, findings));
}

function readCheck(value: unknown, where: string, findings: Findings): CheckSpec {
  const given = findings.mapping(where, value, KEYS);
  const read = <T>(key: (typeof KEYS)[number], reader: (value: unknown) => T): T | undefined => {
    const content = given[key];
    if (content === undefined) return undefined;
    return findings.read(`${where}, ${key}`, () => reader(content));
  };
  const headers = read("headers", (v) => readHeaders(`${where}, headers`, v, findings));
  const body = read("request-body", bodyOf);
  return {
    name: read("name", textOf),
    method: read("method", methodOf) ?? (body === undefined ? undefined : "POST"),
    path: read("path", pathOf),
    headers: { ...body?.headers, ...headers },
    body: body?.text,
    status: read("status", parseStatusSet),
    followRedirects: read("follow-redirects", (v) => FLAG.parse(textOf(v))),
    expectation: {
      headers: read("response-headers", (v) => responseHeaders(v, where, findings)) ?? {},
      body: read("body", (v) => textExpectation(v, `${where}, body`, findings)) ?? ANY_TEXT,
      json: read("json", (v) => jsonExpectations(v, `${where}, json`, findings)) ?? [],
      maxLatency: read("max-latency", (v) => LATENCY.parse(textOf(v))),
    },
  };
}

const FLAG = flag({ required: true });
const LATENCY = duration({ min: 1, max: 600_000 }, { required: true });
const ANY_TEXT: TextExpectation = { contains: [], matches: [] };

function methodOf(value: unknown): string {
  const method = textOf(value).toUpperCase();
  if (METHODS.includes(method)) return method;
  const near = nearestName(method, METHODS);
  const hint = near === undefined ? `accepted are ${METHODS.join(", ")}` : `did you mean ${near}?`;
  throw new FormatError(`${JSON.stringify(value)} is no method; ${hint}`);
}

/**
 * A path with an optional query, as it is sent.
 *
 * @throws {FormatError}
 */
export function pathOf(value: unknown): string {
  const path = textOf(value);
  if (!path.startsWith("/")) throw new FormatError("it must start with a slash");
  if (/[\s\p{Cc}#\\]/u.test(path)) {
    throw new FormatError("blanks, backslashes and # must be percent-encoded");
  }
  return path;
}

/** Text goes out as it is, anything else as JSON. */
function bodyOf(value: unknown): {
  readonly text: string;
  readonly headers: Record<string, string>;
} {
  if (typeof value === "string") return { text: value, headers: {} };
  return { text: JSON.stringify(value), headers: { "content-type": "application/json" } };
}

function responseHeaders(value: unknown, where: string, findings: Findings) {
  const at = `${where}, response-headers`;
  const entries = Object.entries(findings.mapping(at, value)).map(([name, expected]) => [
    name.toLowerCase(),
    textExpectation(expected, `${at}, ${name}`, findings),
  ]);
  return Object.fromEntries(entries) as Record<string, TextExpectation>;
}

/** A text that must be contained, or a mapping that says how it must be. */
function textExpectation(value: unknown, where: string, findings: Findings): TextExpectation {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { contains: findings.read(where, () => textsOf(value)) ?? [], matches: [] };
  }
  const given = findings.mapping(where, value, ["equals", "contains", "matches"]);
  const texts = (key: string): readonly string[] => {
    const content = given[key];
    if (content === undefined) return [];
    return findings.read(`${where}, ${key}`, () => textsOf(content)) ?? [];
  };
  return {
    equals: texts("equals")[0],
    contains: texts("contains"),
    matches: texts("matches").flatMap((source) => {
      const pattern = findings.read(`${where}, matches`, () => patternOf(source));
      return pattern === undefined ? [] : [pattern];
    }),
  };
}

function patternOf(source: string): RegExp {
  try {
    return new RegExp(source, "u");
  } catch (error) {
    throw new FormatError(error instanceof Error ? error.message : String(error));
  }
}

function jsonExpectations(value: unknown, where: string, findings: Findings): Expectation["json"] {
  return Object.entries(findings.mapping(where, value)).flatMap(([text, expected]) => {
    const path = findings.read(`${where}, ${JSON.stringify(text)}`, () => parseJsonPath(text));
    // What YAML has beyond JSON (dates, infinity) becomes what JSON makes of it.
    const plain: unknown = JSON.parse(JSON.stringify(expected));
    const inexact = inexactInteger(plain);
    if (inexact !== undefined) {
      const hint = "look for its digits with body";
      findings.problems.push(
        `${where}, ${JSON.stringify(text)}: an integer beyond 2^53 - 1 cannot be compared exactly; ${hint}`,
      );
    }
    return path === undefined ? [] : [{ path, expected: plain }];
  });
}
