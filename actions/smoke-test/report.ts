import {
  type CheckResult,
  excerpt,
  type Latencies,
  type Redact,
} from "../../shared/probe/index.ts";
import type { PodProof } from "./attest.ts";

/** The output `report`, as data. Times are in seconds, latency in milliseconds. */
export interface Report {
  readonly target: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** Pods that answered, where that is known. */
  readonly pods: readonly string[];
  /** What the answering pods run, where images were expected. */
  readonly proofs: readonly PodProof[];
  readonly checks: readonly CheckReport[];
}

export interface CheckReport {
  readonly name: string;
  /** http, tcp, grpc or exec. */
  readonly type: string;
  readonly target: string;
  /** What exactly was asked. */
  readonly subject: string;
  readonly passed: boolean;
  /** Whether it was ended before its time because another check could no longer pass. */
  readonly undecided: boolean;
  readonly attempts: number;
  /** When it was first tried and when it was decided, since the start. */
  readonly from: number;
  readonly seconds: number;
  /** The last answer in a word: `200`, `SERVING`, `exit code 1`; null when there was none. */
  readonly answer: string | null;
  readonly status: number | null;
  readonly latency: number | null;
  /** Of all requests of the last attempt. */
  readonly latencies: Latencies | null;
  /** Of the body, as they came over the wire. */
  readonly bytes: number | null;
  /** Whether these are all; the end of a long body is read only where its latency matters. */
  readonly complete: boolean | null;
  /** Which pods answered in the last attempt, and how many answers came from each version. */
  readonly pods: readonly string[];
  readonly versions: Readonly<Record<string, number>>;
  readonly note: string | null;
  readonly reasons: readonly string[];
  /** The start of what it said last, of failed checks only. */
  readonly excerpt: string | null;
}

/** The results as data, without secrets. */
export function reportOf(
  results: readonly CheckResult[],
  about: { readonly seconds: number; readonly proofs: readonly PodProof[] },
  redact: Redact,
): Report {
  const targets = new Set(results.map(({ check }) => redact(check.target.name)));
  return {
    target: [...targets].join(", "),
    passed: results.every(({ passed }) => passed),
    seconds: about.seconds,
    pods: [...new Set(results.flatMap(({ pods }) => pods))],
    proofs: about.proofs,
    checks: results.map((result) => checkReport(result, redact)),
  };
}

function checkReport(result: CheckResult, redact: Redact): CheckReport {
  const { check, passed, undecided, attempts, from, to, last } = result;
  const reply = last?.reply;
  return {
    name: redact(check.name),
    type: check.kind,
    target: redact(check.target.name),
    subject: redact(check.subject),
    passed,
    undecided,
    attempts,
    from: seconds(from),
    seconds: seconds(to),
    answer: reply?.brief ?? null,
    status: reply?.status ?? null,
    latency: reply === undefined ? null : tenths(reply.milliseconds),
    latencies: last?.latencies && last.latencies.requests > 1 ? rounded(last.latencies) : null,
    bytes: reply?.bytes ?? null,
    complete: reply?.complete ?? null,
    pods: last?.pods ?? [],
    versions: last?.versions ?? {},
    note: reply?.note ?? null,
    reasons: last?.reasons ?? ["it was not tried"],
    excerpt: passed || reply === undefined ? null : excerpt(reply.text, redact),
  };
}

function rounded({ requests, min, median, p95, max }: Latencies): Latencies {
  return { requests, min: tenths(min), median: tenths(median), p95: tenths(p95), max: tenths(max) };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1_000;
}

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
