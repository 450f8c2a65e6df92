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
  yaml,
} from "../../shared/action/index.ts";
import { imageMap } from "../../shared/image-map/index.ts";
import { secretsAtPaths, secretsOfValues } from "./values-secrets.ts";

// Helm's own check of a release name: pkg/chart/v2/util/validate_name.go.
const RELEASE = /^(?=.{1,53}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
// A leading hyphen would make it a flag; control characters have no place in a path.
const CHART = /^(?!-)\P{Cc}+$/u;
const VERSION = /^[\w.+^~<>=*|, -]+$/;

export const inputs = {
  release: text(
    { required: true, accepts: "a release name: up to 53 of a-z, 0-9, hyphen and dot" },
    RELEASE,
  ),
  chart: text(
    { required: true, accepts: "a folder, an archive, repository/name or oci://..." },
    CHART,
  ),
  "chart-version": text({ accepts: "a version such as 1.2.3" }, VERSION),
  repository: text({ accepts: "the address of a chart repository" }, /^https?:\/\/\P{Cc}+$/u),
  "chart-username": text({ accepts: "a user of the repository or registry" }),
  "chart-password": text({ secret: true, accepts: "that user's password or token" }),
  "chart-ca": text({ accepts: "certificates as PEM" }, /-----BEGIN CERTIFICATE-----/),
  dependencies: choice(["check", "build"], { default: "check" }),
  namespace: text({ default: "default", accepts: "a namespace's name" }, NAMESPACE),
  "create-namespace": flag({ default: "false" }),
  values: text({ accepts: "values as YAML", secretsIn: secretsOfValues }),
  "values-files": list({ default: "" }),
  "set-string": pairs({
    accepts: "lines of the form path.in.the.values=text",
    secretsIn: secretsAtPaths,
  }),
  "set-file": pairs({ accepts: "lines of the form path.in.the.values=file" }),
  images: yaml(imageMap, {
    accepts: "a map of services to {repository, tag, digest}, as build-push puts it out",
  }),
  "images-file": text({ accepts: "the path of a file that build-push wrote" }),
  "image-values": pairs({ accepts: "lines of the form service=path.in.the.values" }),
  crds: choice(["install", "apply", "skip"], { default: "install" }),
  "post-renderer": text({ accepts: "a program's name or path" }, /^(?!-)\P{Cc}+$/u),
  "post-renderer-args": list({ default: "" }),
  "force-conflicts": flag({ default: "false" }),
  mode: choice(["deploy", "plan"], { default: "deploy" }),
  timeout: duration({ min: 5_000, max: 6 * 3_600_000 }, { default: "5m" }),
  "restarts-allowed": integer({ min: 0, max: 100 }, { default: "2" }),
  "on-failure": choice(["rollback", "keep"], { default: "rollback" }),
  "when-busy": choice(["wait", "refuse"], { default: "wait" }),
  "minimum-available": text(
    { accepts: "a number or a percentage such as 2 or 80%" },
    /^(\d{1,6}|100%|\d{1,2}%)$/,
  ),
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  context: text({ accepts: "the name of a context" }, /^(?!-)\P{Cc}+$/u),
  helm: text({ default: "helm", accepts: "a program's name or path" }, /^(?!-)\P{Cc}+$/u),
} satisfies Inputs;

export const outputs = [
  "changes",
  "revision",
  "previous-revision",
  "running-revision",
  "rolled-back",
  "users-hurt",
  "affected-seconds",
  "report",
  "seconds",
] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
