import { isDeepStrictEqual } from "node:util";
import { describe } from "../failure/index.ts";
import type { Answer, Expectation, TextExpectation } from "./check.ts";
import { formatJsonPath, nature, select } from "./json-path.ts";
import { formatStatusSet, matchesStatus } from "./status.ts";

const LONGEST_QUOTE = 120;

/** Hides what must not be shown. Applied before a text is cut, lest half a secret stay. */
export type Redact = (text: string) => string;

/** Everything in which an answer is not what was expected, each as a phrase; empty when all holds. */
export function mismatches(
  expectation: Expectation,
  answer: Answer,
  redact: Redact,
): readonly string[] {
  const quote = (text: string) => JSON.stringify(cut(redact(text)));
  const headers = Object.entries(expectation.headers).flatMap(([name, expected]) => {
    const value = answer.headers[name];
    if (value === undefined) return [`there is no header ${name}`];
    return textMismatches(`the header ${name}`, expected, value, quote);
  });
  return [
    ...statusMismatch(expectation, answer, quote),
    ...headers,
    ...bodyMismatches(expectation, answer, quote),
    ...jsonMismatches(expectation, answer, redact),
    ...latencyMismatch(expectation, answer),
  ];
}

function statusMismatch(
  { status: expected }: Expectation,
  { status, headers }: Answer,
  quote: Redact,
): string[] {
  if (matchesStatus(expected, status)) return [];
  const to = headers.location;
  const redirect =
    status >= 300 && status < 400 && to !== undefined
      ? `, a redirect to ${quote(to)} that was not followed`
      : "";
  return [`the status is ${status}, expected ${formatStatusSet(expected)}${redirect}`];
}

function bodyMismatches({ body }: Expectation, answer: Answer, quote: Redact): string[] {
  const found = textMismatches("the body", body, answer.body, quote);
  if (found.length === 0) return [];
  const encoding = answer.headers["content-encoding"];
  // What is missing in the part that was kept may be in the rest.
  if (answer.truncated) found.push("only the first MiB of the body was looked at");
  if (encoding !== undefined)
    found.push(`the body is encoded as ${encoding}, though none was asked for`);
  return found;
}

function textMismatches(
  what: string,
  { equals, contains, matches }: TextExpectation,
  actual: string,
  quote: Redact,
): string[] {
  return [
    ...(equals === undefined || equals === actual
      ? []
      : [`${what} is ${quote(actual)}, expected ${quote(equals)}`]),
    ...contains
      .filter((part) => !actual.includes(part))
      .map((part) => `${what} does not contain ${quote(part)}`),
    ...matches
      .filter((pattern) => !pattern.test(actual))
      .map((pattern) => `${what} does not match ${pattern}`),
  ];
}

function jsonMismatches({ json }: Expectation, answer: Answer, redact: Redact): string[] {
  if (json.length === 0) return [];
  if (answer.truncated) return ["the body is longer than 1 MiB, too long to be read as JSON"];
  let root: unknown;
  try {
    root = JSON.parse(answer.body);
  } catch (error) {
    const type = answer.headers["content-type"] ?? "no content type";
    return [`the body (${type}) is no JSON: ${cut(redact(describe(error)))}`];
  }
  const show = (value: unknown) => showJson(value, redact);
  return json.flatMap(({ path, expected: wanted }) => {
    const selection = select(path, root);
    const where = formatJsonPath(path);
    if (!selection.found) return [`${where} is not there: ${selection.missing}`];
    if (isDeepStrictEqual(selection.value, wanted)) return [];
    return [`${where} is ${show(selection.value)}, expected ${show(wanted)}`];
  });
}

function latencyMismatch({ maxLatency }: Expectation, { milliseconds }: Answer): string[] {
  if (maxLatency === undefined || milliseconds <= maxLatency) return [];
  return [`the answer took ${Math.round(milliseconds)} ms, at most ${maxLatency} ms are allowed`];
}

function showJson(value: unknown, redact: Redact): string {
  const text = cut(redact(JSON.stringify(value)));
  return typeof value === "object" ? text : `${text} (${nature(value)})`;
}

function cut(text: string): string {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}
