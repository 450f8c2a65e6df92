import {
  choice,
  duration,
  flag,
  type Inputs,
  integer,
  type OptionsOf,
  text,
} from "../../../../shared/action/index.ts";

/** Ways in which the probe can end; the names of the functions in probe.ts. */
export const MODES = [
  "pass",
  "fail",
  "talk",
  "fail-with-summary",
  "throw-error",
  "throw-user-error",
  "throw-undefined",
  "throw-null",
  "throw-object",
  "throw-hostile",
  "reject-unawaited",
  "throw-in-timer",
  "never-settle",
  "leave",
  "no-outcome",
  "plain-error-as-failure",
  "cyclic-output",
  "forge",
  "leak",
  "leak-late",
  "huge-summary",
  "print-environment",
  "wait",
  "wait-and-heal",
  "wait-and-break",
  "wait-and-throw-stray",
  "ignore-cancellation",
  "finish-in-spite",
] as const;

export const inputs = {
  mode: choice(MODES, { required: true }),
  "user-text": text({ default: "" }),
  token: text({ secret: true }),
  replicas: integer({ min: 1, max: 9 }, { default: "3" }),
  timeout: duration({ min: 1_000, max: 600_000 }, { default: "5m" }),
  atomic: flag({ default: "true" }),
} satisfies Inputs;

export const outputs = ["digest", "report"] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
