import { describe } from "../failure/index.ts";
import { formatJsonPath, nature, sameJson, select } from "../json/index.ts";
import { cut, quote as quoteWith, type Redact, textMismatches } from "../probe/index.ts";
import type { Answer, Expectation } from "./check.ts";
import { formatStatusSet, matchesStatus } from "./status.ts";

/** Everything in which an answer is not what was expected, each as a phrase; empty when all holds. */
export function mismatches(
  expectation: Expectation,
  answer: Answer,
  redact: Redact,
): readonly string[] {
  const quote = (text: string) => quoteWith(text, redact);
  const headers = Object.entries(expectation.headers).flatMap(([name, expected]) => {
    const value = answer.headers[name];
    if (value === undefined) return [`there is no header ${name}`];
    return textMismatches(`the header ${name}`, expected, value, redact);
  });
  return [
    ...statusMismatch(expectation, answer, quote),
    ...headers,
    ...contentMismatches(expectation, answer, redact),
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

function contentMismatches(expectation: Expectation, answer: Answer, redact: Redact): string[] {
  const { equals, contains, matches } = expectation.body;
  const counts = equals !== undefined || contains.length + matches.length > 0;
  if (answer.undecodable !== undefined && (counts || expectation.json.length > 0)) {
    const encoding = answer.headers["content-encoding"];
    return [`the body cannot be decoded as ${encoding}: ${answer.undecodable}`];
  }
  return [
    ...bodyMismatches(expectation, answer, redact),
    ...jsonMismatches(expectation, answer, redact),
  ];
}

function bodyMismatches({ body }: Expectation, answer: Answer, redact: Redact): string[] {
  const found = textMismatches("the body", body, answer.body, redact);
  // What is missing in the part that was kept may be in the rest.
  if (found.length > 0 && answer.truncated) {
    found.push("only the first MiB of the body was looked at");
  }
  return found;
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
    if (sameJson(selection.value, wanted)) return [];
    return [`${where} is ${show(selection.value)}, expected ${show(wanted)}`];
  });
}

function latencyMismatch({ maxLatency }: Expectation, { milliseconds }: Answer): string[] {
  if (maxLatency === undefined || milliseconds <= maxLatency) return [];
  return [`the answer took ${Math.round(milliseconds)} ms, at most ${maxLatency} ms are allowed`];
}

function showJson(value: unknown, redact: Redact): string {
  const written = write(value);
  if (written === undefined) return `${nature(value)}, nested too deeply to be shown`;
  const text = cut(redact(written));
  return typeof value === "object" ? text : `${text} (${nature(value)})`;
}

/** Undefined for what is nested more deeply than it can be written, though it could be read. */
function write(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
