import { type CheckResult, excerpt, type Redact } from "../../shared/http/index.ts";

/** The output `report`, as data. Times are in seconds, latency in milliseconds. */
export interface Report {
  readonly target: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** Pods that a Service was reached through; empty for a URL. */
  readonly pods: readonly string[];
  readonly checks: readonly CheckReport[];
}

interface CheckReport {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly passed: boolean;
  readonly attempts: number;
  readonly seconds: number;
  /** Of the last attempt; null when it got no answer. */
  readonly status: number | null;
  readonly latency: number | null;
  /** Of the body, as they came over the wire. */
  readonly bytes: number | null;
  /** Whether these are all; the end of a long body is read only where its latency matters. */
  readonly complete: boolean | null;
  readonly reasons: readonly string[];
  /** The start of the last body, of failed checks only. */
  readonly excerpt: string | null;
}

/** The results as data, without secrets. */
export function reportOf(
  results: readonly CheckResult[],
  about: { readonly target: string; readonly seconds: number; readonly pods: readonly string[] },
  redact: Redact,
): Report {
  return {
    target: about.target,
    passed: results.every(({ passed }) => passed),
    seconds: about.seconds,
    pods: about.pods,
    checks: results.map((result) => checkReport(result, redact)),
  };
}

function checkReport(result: CheckResult, redact: Redact): CheckReport {
  const { check, url, passed, attempts, milliseconds, last } = result;
  const answer = last?.answer;
  return {
    name: redact(check.name),
    method: check.method,
    url: redact(url.href),
    passed,
    attempts,
    seconds: Math.round(milliseconds) / 1_000,
    status: answer?.status ?? null,
    latency: answer === undefined ? null : Math.round(answer.milliseconds),
    bytes: answer?.bodyBytes ?? null,
    complete: answer?.complete ?? null,
    reasons: last?.reasons ?? ["it was not tried"],
    excerpt: passed || answer === undefined ? null : excerpt(answer.body, redact),
  };
}
