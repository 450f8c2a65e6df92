import {
  duration,
  flag,
  type Inputs,
  integer,
  type OptionsOf,
  text,
  words,
} from "../../shared/action/index.ts";
import { manifestsField } from "./manifests-field.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** Kinds may be qualified by version and group; names of a few kinds have colons. */
const RESOURCE =
  /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\/)?[A-Za-z][A-Za-z0-9.-]*\/[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/;

export const inputs = {
  resources: words(
    { accepts: "kind/name or namespace/kind/name, separated by white space or commas" },
    RESOURCE,
  ),
  selector: text({ accepts: "a label selector such as app=web,tier!=db" }),
  all: flag({ default: "false" }),
  manifests: manifestsField(),
  release: text({ accepts: "the name of a Helm release" }, /^[a-z0-9]([a-z0-9.-]{0,51}[a-z0-9])?$/),
  conditions: text({
    accepts: "lines such as widget.example.com/blue: jsonpath={.status.phase}=Running",
  }),
  namespace: text({ accepts: "the name of a namespace" }, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  context: text({}),
  timeout: duration({ min: SECOND, max: DAY }, { default: "5m" }),
  "restarts-allowed": integer({ min: 0, max: 100 }, { default: "2" }),
  "unschedulable-grace": duration({ min: 0, max: 60 * MINUTE }, { default: "1m" }),
} satisfies Inputs;

export const outputs = ["reason", "seconds", "report"] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
