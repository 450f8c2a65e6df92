import {
  choice,
  type Field,
  flag,
  type Inputs,
  integer,
  jobToken,
  type OptionsOf,
  Rejection,
  text,
  words,
  yaml,
} from "../../shared/action/index.ts";
import { FormatError } from "../../shared/failure/index.ts";
import { imageMap } from "../../shared/image-map/index.ts";
import { type TagPattern, tagPattern } from "../../shared/retention/index.ts";

const HOUR = 3_600_000;
const UNITS: Readonly<Record<string, number>> = { h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR };

/** An age such as `30d`, in milliseconds. */
const age: Field<number> = {
  ...text({ default: "30d", accepts: "an age such as 12h, 30d or 8w" }),
  parse: (raw) => {
    const [, count = "", unit = ""] = /^(\d{1,5})([hdw])$/.exec(raw) ?? [];
    if (count === "") throw new Rejection("it is not an age in hours, days or weeks");
    return Number(count) * (UNITS[unit] ?? HOUR);
  },
};

const tagWords = words({
  default: "semver latest buildcache*",
  accepts: "tags in which * stands for anything, and the word semver, by white space or commas",
});
const patterns: Field<readonly TagPattern[]> = {
  ...tagWords,
  parse: (raw) => {
    if (raw === "none") return [];
    return tagWords.parse(raw).map((word) => {
      try {
        return tagPattern(word);
      } catch (error) {
        if (error instanceof FormatError) throw new Rejection(error.message);
        throw error;
      }
    });
  },
};

const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const inputs = {
  repositories: words({
    accepts:
      "repositories such as ghcr.io/owner/web, or names below registry, by white space or commas",
  }),
  registry: text({ accepts: "a registry's host and path, such as ghcr.io/owner" }),
  images: yaml(imageMap, { accepts: "the output images of build-push" }),
  "images-file": text({ accepts: "the path of a file that build-push wrote" }),
  mode: choice(["dry-run", "delete"], { default: "dry-run" }),
  "keep-last": integer({ min: 0, max: 100_000 }, { default: "10" }),
  "keep-younger-than": age,
  "keep-tags": patterns,
  kubeconfig: text({ accepts: "a kubeconfig's path, content, or content in base64" }),
  contexts: words({ accepts: "names of contexts of the kubeconfig, by white space or commas" }),
  namespaces: words({ accepts: "namespaces, by white space or commas" }, NAMESPACE),
  histories: flag({ default: "true" }),
  environments: words({ accepts: "names of GitHub environments, or * for all" }),
  "keep-deployments": integer({ min: 1, max: 1_000 }, { default: "10" }),
  repository: text({ accepts: "owner/name" }, /^[\w.-]+\/[\w.-]+$/),
  records: words({ accepts: "paths of files in the workspace" }),
  "nothing-deployed": flag({ default: "false" }),
  username: text({ accepts: "the registry account's name" }),
  password: text({ secret: true, accepts: "the registry account's password or token" }),
  token: jobToken("a token for GitHub"),
  "aws-role": text(
    { accepts: "the ARN of a role" },
    /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
  ),
  "google-workload-identity-provider": text({ accepts: "a provider's full name" }),
  "google-service-account": text({ accepts: "a service account's address" }, /^[^@\s]+@[^@\s]+$/),
  "azure-client-id": text({ accepts: "an application's client id" }, /^[\w-]+$/),
  "azure-tenant-id": text({ accepts: "a directory's tenant id" }, /^[\w.-]+$/),
} satisfies Inputs;

export const outputs = ["deleted", "kept", "freed-bytes", "missing", "report", "seconds"] as const;

export type Options = OptionsOf<typeof inputs>;
export type OutputName = (typeof outputs)[number];
