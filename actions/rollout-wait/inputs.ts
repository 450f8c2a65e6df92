import {
  duration,
  type Inputs,
  integer,
  type OptionsOf,
  text,
  words,
} from "../../shared/action/index.ts";

const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;

export const inputs = {
  resources: words(
    { accepts: "kind/name, separated by white space or commas" },
    /^[^/\s]+\/[^/\s]+$/,
  ),
  selector: text({ accepts: "a label selector such as app=web,tier!=db" }),
  namespace: text({ accepts: "the name of a namespace" }, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  context: text({}),
  timeout: duration({ min: SECOND, max: DAY }, { default: "5m" }),
  "restarts-allowed": integer({ min: 0, max: 100 }, { default: "2" }),
} satisfies Inputs;

export const outputs = ["reason", "seconds", "report"] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
