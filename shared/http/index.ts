export { askHttp, urlOf } from "./ask.ts";
export type { Answer, Expectation, HttpQuestion, Source } from "./check.ts";
export { type Client, openClient } from "./client.ts";
export { healthMismatches, PRESETS, type Preset, parsePreset } from "./health.ts";
export { mismatches } from "./mismatches.ts";
export type { HttpRequest } from "./request.ts";
export { formatStatusSet, matchesStatus, parseStatusSet, type StatusSet } from "./status.ts";
