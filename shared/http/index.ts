export type { Answer, Check, Expectation, TextExpectation } from "./check.ts";
export { type Client, openClient } from "./client.ts";
export { excerpt } from "./excerpt.ts";
export { mismatches, type Redact } from "./mismatches.ts";
export { type Attempt, type CheckResult, type Pace, prove } from "./prove.ts";
export type { HttpRequest } from "./request.ts";
export { formatStatusSet, matchesStatus, parseStatusSet, type StatusSet } from "./status.ts";
export { type Target, urlTarget } from "./target.ts";
export { Unanswered } from "./unanswered.ts";
