import { formatJsonPath, select } from "../json/index.ts";
import { quote, type Redact, type Reply, Unanswered, type Way } from "../probe/index.ts";
import type { Answer, HttpQuestion, Source } from "./check.ts";
import type { Client } from "./client.ts";
import { healthMismatches } from "./health.ts";
import { mismatches } from "./mismatches.ts";

/** The server does not have this path, says the status: another may be meant. */
const NO_SUCH_PATH = [404, 405, 501];

/**
 * Sends a request and holds its answer to what is expected.
 *
 * @throws {Unanswered} when no whole answer came in time.
 * @throws the reason of `signal` when that aborts.
 */
export async function askHttp(
  client: Client,
  question: HttpQuestion,
  { via, base = question.base }: Way,
  { timeout, signal, redact }: { timeout: number; signal: AbortSignal; redact: Redact },
): Promise<Reply> {
  const ends = performance.now() + timeout;
  const [first, ...fallbacks] = question.paths;
  const send = (path: string) => {
    const left = ends - performance.now();
    if (left <= 0) throw late(base, timeout);
    const url = urlOf(base, path);
    return client.send({ ...question, url, via }, Math.ceil(left), signal);
  };
  let [path, answer] = [first, await send(first)];
  for (const fallback of fallbacks) {
    if (!NO_SUCH_PATH.includes(answer.status)) break;
    [path, answer] = [fallback, await send(fallback)];
  }
  const note = path === first ? undefined : `answered at ${urlOf(base, path).pathname}`;
  return { ...judge(question, answer, redact), note };
}

/** The URL of a check: its path appended to the base URL's path. */
export function urlOf(base: URL, path: string): URL {
  return new URL(`${base.origin}${base.pathname.replace(/\/$/, "")}${path}`);
}

function late(base: URL, timeout: number): Unanswered {
  const message = `${base.host} gave no answer within ${timeout / 1_000} s`;
  return new Unanswered(message, { trouble: "timeout", patience: Infinity });
}

function judge(question: HttpQuestion, answer: Answer, redact: Redact): Reply {
  const { expectation, version, pod, paths, health } = question;
  const told = version === undefined ? undefined : find(version.source, answer);
  const podTold = pod === undefined ? undefined : find(pod, answer);
  const absent = NO_SUCH_PATH.includes(answer.status) && paths.length > 1;
  const reasons = [
    ...(absent ? [`none of ${paths.join(", ")} is there`] : []),
    ...mismatches(expectation, answer, redact),
    ...(health ? healthMismatches(answer).map(redact) : []),
    ...(told === undefined ? [] : versionMismatches(told, version?.equals, redact)),
    ...(podTold?.found === false ? [`the answer names no pod: ${podTold.missing}`] : []),
  ];
  return {
    brief: `${answer.status}`,
    status: answer.status,
    milliseconds: answer.milliseconds,
    reasons,
    text: answer.body,
    bytes: answer.bodyBytes,
    complete: answer.complete,
    version: told?.found === true ? redact(told.text) : undefined,
    pod: podTold?.found === true ? redact(podTold.text) : undefined,
  };
}

type Found =
  | { readonly found: true; readonly text: string }
  | { readonly found: false; readonly missing: string };

/** What stands at a place of an answer. */
function find(source: Source, { headers, body, truncated }: Answer): Found {
  if ("header" in source) {
    const text = headers[source.header];
    if (text !== undefined) return { found: true, text };
    return { found: false, missing: `there is no header ${source.header}` };
  }
  if (truncated) return { found: false, missing: "the body is too long to be read as JSON" };
  try {
    const selection = select(source.json, JSON.parse(body));
    if (!selection.found) return selection;
    const { value } = selection;
    return { found: true, text: typeof value === "string" ? value : JSON.stringify(value) };
  } catch {
    const where = formatJsonPath(source.json);
    return { found: false, missing: `the body is no JSON that ${where} could lead into` };
  }
}

function versionMismatches(told: Found, equals: string | undefined, redact: Redact): string[] {
  if (!told.found) return [`the answer tells no version: ${told.missing}`];
  if (equals === undefined || told.text === equals) return [];
  return [`version ${quote(told.text, redact)} answered, expected ${quote(equals, redact)}`];
}
