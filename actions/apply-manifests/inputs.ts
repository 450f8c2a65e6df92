import {
  choice,
  duration,
  flag,
  type Inputs,
  integer,
  list,
  type OptionsOf,
  pairs,
  text,
  words,
  yaml,
} from "../../shared/action/index.ts";
import { imageMap } from "../../shared/image-map/index.ts";
import { config } from "./config-field.ts";
import { pruneLimit } from "./prune-limit.ts";
import { sources } from "./sources-field.ts";

// As SET_NAME of shared/apply-set, which would load the Kubernetes client.
const NAME = /^(?=.{1,40}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
// What the API server takes for a field manager: up to 128 printable characters.
const MANAGER = /^[\x21-\x7e]{1,128}$/;
const VERSION = /^[\w.+:@/-]{1,128}$/;
const KIND = /^[A-Za-z]+(\/[a-z0-9.-]+)?$/;

export const inputs = {
  name: text({ accepts: "a name for the set: up to 40 of a-z, 0-9 and hyphen" }, NAME),
  namespace: text({ default: "default", accepts: "a namespace's name" }, NAMESPACE),
  manifests: sources(),
  content: text({ accepts: "manifests as YAML or JSON" }),
  images: yaml(imageMap, {
    accepts: "a map of services to {repository, tag, digest}, as build-push puts it out",
  }),
  "images-file": text({ accepts: "the path of a file that build-push wrote" }),
  "image-names": pairs({ accepts: "lines of the form service=name of the image in the manifests" }),
  workloads: list({ default: "", accepts: "lines of the form deployment/web:container=service" }),
  secrets: config("Secret"),
  "config-maps": config("ConfigMap"),
  "roll-workloads": choice(["applied", "live", "none"], { default: "applied" }),
  mode: choice(["deploy", "plan"], { default: "deploy" }),
  version: text({ accepts: "a version, tag or commit of up to 128 characters" }, VERSION),
  "create-namespace": flag({ default: "false" }),
  "other-namespaces": words({ default: "" }, /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?|\*)$/),
  "field-manager": text(
    { default: "seaworthy", accepts: "up to 128 printable characters without white space" },
    MANAGER,
  ),
  "force-conflicts": flag({ default: "false" }),
  "field-validation": choice(["strict", "warn"], { default: "strict" }),
  recreate: words({ default: "" }, KIND),
  prune: flag({ default: "true" }),
  "prune-selector": text({ accepts: "a label selector such as app=shop" }, /^[^\p{Cc}]{1,500}$/u),
  "prune-limit": pruneLimit({ default: "10, 50%" }),
  "prune-also": words({ default: "" }, /^[A-Za-z]+$/),
  timeout: duration({ min: 5_000, max: 6 * 3_600_000 }, { default: "5m" }),
  "restarts-allowed": integer({ min: 0, max: 100 }, { default: "2" }),
  "on-failure": choice(["rollback", "keep"], { default: "rollback" }),
  "minimum-available": text(
    { accepts: "a number or a percentage such as 2 or 80%" },
    /^(\d{1,6}|100%|\d{1,2}%)$/,
  ),
  history: integer({ min: 1, max: 100 }, { default: "10" }),
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  context: text({ accepts: "the name of a context" }, /^(?!-)\P{Cc}+$/u),
} satisfies Inputs;

export const outputs = [
  "revision",
  "previous-revision",
  "running-revision",
  "applied",
  "changed",
  "pruned",
  "rolled-back",
  "users-hurt",
  "affected-seconds",
  "changes",
  "report",
  "seconds",
] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
