import {
  duration,
  type Inputs,
  integer,
  list,
  type OptionsOf,
  text,
} from "../../shared/action/index.ts";

const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;

/** A kubeconfig that is given whole holds keys; a path does not. */
const contentIsSecret = (raw: string) => (/\n|^[A-Za-z0-9+/=]{200,}$/.test(raw) ? [raw] : []);

export const inputs = {
  resources: list(
    { accepts: "kind/name, one a line or separated by commas" },
    /^[^/\s]+\/[^/\s]+$/,
  ),
  selector: text({ accepts: "a label selector such as app=web,tier!=db" }),
  namespace: text({ accepts: "the name of a namespace" }, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  kubeconfig: text({ accepts: "a path, or a kubeconfig", secretsIn: contentIsSecret }),
  context: text({}),
  timeout: duration({ min: SECOND, max: DAY }, { default: "5m" }),
  "restarts-allowed": integer({ min: 0, max: 100 }, { default: "2" }),
} satisfies Inputs;

export const outputs = ["reason", "seconds", "report"] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
