import {
  choice,
  duration,
  flag,
  type Inputs,
  jobToken,
  list,
  type OptionsOf,
  pairs,
  text,
  words,
  yaml,
} from "../../shared/action/index.ts";
import { nodesSchema } from "./builder-nodes.ts";
import { secretsInBuildArgs, secretsInSecrets, secretsInServices } from "./misplaced-secrets.ts";
import { contextsSchema, secretsSchema, servicesSchema } from "./service-schema.ts";

export const inputs = {
  registry: text({ accepts: "a registry's host and path, such as ghcr.io/owner" }),
  name: text({ accepts: "the name of one service; give services instead for several" }),
  services: yaml(servicesSchema, {
    secretsIn: secretsInServices,
    accepts:
      "a YAML list of services, each with name and, where needed, context, dockerfile, target, build-args, secrets, platforms, tags",
  }),
  "bake-file": list({ accepts: "bake or compose files of the workspace, one a line" }),
  targets: words({ accepts: "names of targets and groups of the bake-file" }),
  folders: text({ accepts: "patterns of folders such as services/*, one a line" }),
  "folders-context": choice(["folder", "root"], { default: "folder" }),
  context: text({ default: ".", accepts: "a folder of the workspace" }),
  dockerfile: text({ accepts: "a file of the workspace, relative to the context" }),
  target: text({ accepts: "a stage of the Dockerfile" }),
  "build-contexts": yaml(contextsSchema, {
    accepts:
      "lines of the form `name: folder`, `name: docker-image://image` or `name: target:service`",
  }),
  "build-args": pairs({ secretsIn: secretsInBuildArgs }),
  "public-build-args": words({ accepts: "names of build arguments" }),
  secrets: yaml(secretsSchema, {
    secretsIn: secretsInSecrets,
    accepts: "lines of the form `id: ENVIRONMENT_VARIABLE` or `id: {file: path}`",
  }),
  tags: text({
    accepts:
      "tags, separated by white space or commas, and rules such as type=semver,pattern={{version}}, one a line",
  }),
  flavor: text({ accepts: "lines of latest=auto|true|false, prefix=TEXT and suffix=TEXT" }),
  labels: pairs({ accepts: "lines of the form name=value" }),
  annotations: pairs({ accepts: "lines of the form name=value or level:name=value" }),
  "no-cache": flag({ default: "false" }),
  allow: words({ accepts: "network.host and security.insecure" }),
  platforms: words({
    accepts: "platforms such as linux/amd64, separated by white space or commas",
  }),
  username: text({ accepts: "the registry account's name" }),
  password: text({ secret: true, accepts: "the registry account's password or token" }),
  token: jobToken("a token for GitHub's registry"),
  "aws-role": text({ accepts: "the ARN of a role" }, /^arn:aws[\w-]*:iam::\d{12}:role\/\S+$/),
  "google-workload-identity-provider": text(
    { accepts: "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER" },
    /projects\/[^/\s]+\/locations\/[^/\s]+\/workloadIdentityPools\/[^/\s]+\/providers\/[^/\s]+$/,
  ),
  "google-service-account": text({ accepts: "a service account's address" }, /^[^@\s]+@[^@\s]+$/),
  "azure-client-id": text({ accepts: "an application's client id" }, /^[\w-]+$/),
  "azure-tenant-id": text({ accepts: "a directory's tenant id" }, /^[\w.-]+$/),
  builder: text({ accepts: "the name of a buildx builder" }, /^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  buildkit: text(
    { accepts: "the address of a BuildKit, such as tcp://host:1234 or unix:///run/buildkitd.sock" },
    /^[a-z][a-z-]*:\/\/\S+$/,
  ),
  "buildkit-ca": text({ accepts: "a certificate of an authority, in PEM" }),
  "buildkit-cert": text({ accepts: "a certificate, in PEM" }),
  "buildkit-key": text({ secret: true, accepts: "a private key, in PEM" }),
  driver: choice(["docker-container", "kubernetes", "remote", "buildah"], {}),
  "driver-opts": pairs({ accepts: "options of the driver, one `name=value` a line" }),
  "builder-nodes": yaml(nodesSchema, {
    accepts: "a YAML list of machines, each with platforms, driver-opts and endpoint as needed",
  }),
  "buildkitd-config": text({ accepts: "a buildkitd.toml of the workspace" }),
  "buildkitd-config-inline": text({ accepts: "the text of a buildkitd.toml" }),
  "keep-builder": flag({ default: "true" }),
  cache: text({
    default: "off",
    accepts:
      "off, inline, registry, registry:HOST/REPOSITORY, gha, gha:SCOPE, local or local:FOLDER",
  }),
  provenance: choice(["min", "max", "off"], { default: "min" }),
  sbom: flag({ default: "false" }),
  "sbom-generator": text({ accepts: "the name of an image" }, /^[\w.:/@-]+$/),
  "secret-search": flag({ default: "true" }),
  scan: choice(["auto", "required", "trivy", "grype", "off"], { default: "auto" }),
  "scan-threshold": choice(["critical", "high", "medium", "low"], { default: "high" }),
  "scan-only-fixed": flag({ default: "false" }),
  "scan-ignore": text({
    accepts: "a YAML list of id, until and reason, or the file of the workspace that holds it",
  }),
  "scan-timeout": duration({ min: 1_000, max: 6 * 3_600_000 }, { default: "10m" }),
  sign: choice(["off", "key", "keyless"], { default: "off" }),
  "cosign-key": text({
    // A path or an address may be shown.
    secretsIn: (raw) => (raw.includes("-----BEGIN") ? [raw] : []),
    accepts: "a private key in PEM, the path of its file, or its address in a KMS",
  }),
  "cosign-password": text({ secret: true, accepts: "the password of cosign-key" }),
  "tlog-upload": flag({ default: "true" }),
  push: flag({ default: "true" }),
  mode: choice(["build", "plan"], { default: "build" }),
  rebuild: choice(["always", "changed", "missing"], { default: "changed" }),
  "images-file": text({ accepts: "a file of the workspace to be written" }),
  timeout: duration({ min: 1_000, max: 6 * 3_600_000 }, { default: "30m" }),
} satisfies Inputs;

export const outputs = [
  "images",
  "digests",
  "changed",
  "matrix",
  "images-file",
  "seconds",
] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
