import {
  choice,
  duration,
  type Inputs,
  integer,
  type OptionsOf,
  text,
  words,
} from "../../shared/action/index.ts";

const SECOND = 1_000;

export const inputs = {
  target: words(
    {
      required: true,
      accepts:
        "release/name, set/name, or workloads such as deployment/web, by white space or commas",
    },
    /^[A-Za-z]+\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
  ),
  to: text(
    { default: "previous", accepts: "previous, a revision's number, a version, or sha256:..." },
    /^[\w.+:@/=-]+$/,
  ),
  namespace: text({ accepts: "the name of a namespace" }, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  reason: text({ default: "", accepts: "why, in a sentence" }),
  mode: choice(["deploy", "plan"], { default: "deploy" }),
  "data-schema": text({ accepts: "the data schema that the target revision can read" }),
  "minimum-available": text(
    { accepts: "a number or a percentage such as 2 or 80%" },
    /^(\d{1,6}|100%|\d{1,2}%)$/,
  ),
  timeout: duration({ min: 5 * SECOND, max: 6 * 3_600 * SECOND }, { default: "5m" }),
  "restarts-allowed": integer({ min: 0, max: 100 }, { default: "2" }),
  registry: text({ accepts: "a registry's host, such as ghcr.io" }),
  username: text({ accepts: "the registry account's name" }),
  password: text({ secret: true, accepts: "the registry account's password or token" }),
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  context: text({ accepts: "the name of a context" }, /^(?!-)\P{Cc}+$/u),
  helm: text({ default: "helm", accepts: "a program's name or path" }, /^(?!-)\P{Cc}+$/u),
} satisfies Inputs;

export const outputs = [
  "from",
  "to",
  "running-revision",
  "changed",
  "users-hurt",
  "affected-seconds",
  "report",
  "seconds",
] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
