import { UserError, type UserErrorParts } from "../failure/index.ts";
import { CommandFailed } from "../process/index.ts";
import { explainRenderFailure } from "./render-failure.ts";

/** What Helm was doing when it failed, for the message. */
export interface HelmTask {
  /** Completes "Helm could not ...": `upgrade shop`. */
  readonly doing: string;
  readonly chart?: string;
  readonly namespace: string;
  /** Puts the names of temporary files right. */
  readonly reword?: (words: string) => string;
}

/** Helm said no. `kind` tells callers what it was about; people read the rest. */
export class HelmFailure extends UserError {
  readonly kind: HelmFailureKind;

  constructor(kind: HelmFailureKind, parts: UserErrorParts, reason?: unknown) {
    super(parts, { reason });
    this.name = "HelmFailure";
    this.kind = kind;
  }
}

export type HelmFailureKind =
  | "missing"
  | "render"
  | "values"
  | "chart"
  | "forbidden"
  | "unreachable"
  | "credentials"
  | "namespace"
  | "pending"
  | "conflict"
  | "ownership"
  | "rejected"
  | "hook"
  | "deadline"
  | "other";

/** Makes the failure of a Helm run readable; anything but a CommandFailed is given back as it is. */
export function helmFailure(error: unknown, task: HelmTask): unknown {
  if (!(error instanceof CommandFailed)) return error;
  if (error.why === "not-found" || error.why === "not-startable") return missingHelm(error);
  if (error.why === "deadline") return tooSlow(error, task);
  const said = errorWords(error.stderrTail);
  // What went wrong with a repository is told on the other stream.
  const words = /^failed to update the following/.test(said)
    ? `${said}\n${error.stdoutTail}`
    : said;
  return explain(task.reword?.(words) ?? words, task, error);
}

/**
 * What Helm says went wrong, without its log lines, deprecation notes and hints.
 * Helm 4 logs to standard error too (`level=WARN msg=...`); the error itself begins with `Error: `.
 */
export function errorWords(stderr: string): string {
  const at = stderr.search(/^Error: /m);
  const lines = (at < 0 ? stderr : stderr.slice(at + "Error: ".length)).split("\n");
  const noise = /^(level=|time=|Flag --|WARNING:|Use --debug flag|[IWE]\d{4} \d\d:)/;
  return lines
    .filter((line) => !noise.test(line))
    .join("\n")
    .replace(/\d+ errors? occurred:\s*\* /g, "")
    .replace(/^((INSTALLATION|UPGRADE) FAILED: |Rollback FAILED: )+/, "")
    .trim();
}

function explain(words: string, task: HelmTask, reason: CommandFailed): HelmFailure {
  const render = explainRenderFailure(words, task.chart);
  if (render !== undefined) return new HelmFailure("render", render, reason);
  for (const { kind, pattern, parts } of KNOWN) {
    const match = pattern.exec(words);
    if (match !== null)
      return new HelmFailure(kind, parts(match.groups ?? {}, task, words), reason);
  }
  const said = words === "" ? reason.message : words;
  return new HelmFailure(
    "other",
    {
      title: `Helm could not ${task.doing}`,
      cause: `Helm says: ${firstLine(said)}`,
      remedy: "Correct what Helm names, then run again.",
      ...(said.includes("\n") ? { evidence: said } : {}),
    },
    reason,
  );
}

interface Known {
  readonly kind: HelmFailureKind;
  readonly pattern: RegExp;
  parts(found: Groups, task: HelmTask, words: string): UserErrorParts;
}

type Groups = Readonly<Record<string, string | undefined>>;

/** Helm's words for what users meet most, each with its cause in a sentence. First match wins. */
const KNOWN: readonly Known[] = [
  {
    kind: "chart",
    pattern:
      /chart repository \((?<url>\S+?)\/?\):\s*(?<why>[^\n]+)|failed to fetch (?<url2>https?:\S+) ?: (?<why2>[^\n]+)/,
    parts: ({ url, why, url2, why2 }, { chart }) => ({
      title: "The chart repository cannot be read",
      cause: `${chart === undefined ? "" : `${JSON.stringify(chart)}: `}${url ?? url2} gives ${(why ?? why2 ?? "").trim()}.`,
      remedy:
        "Check the address in `repository`, and `chart-username` and `chart-password`; nothing was changed.",
    }),
  },
  {
    kind: "chart",
    pattern:
      /failed to perform "\w+" on (?:source|destination): (?<what>[^\n]+?): (?<why>not found|[^\n]*(?:denied|unauthorized|forbidden|basic credential)[^\n]*)/i,
    parts: ({ what, why }, { chart }) => ({
      title: "No such chart",
      cause: `There is no chart at ${JSON.stringify(chart ?? "")}: the registry says of ${what}: ${why}.`,
      remedy:
        "Check the reference, its version or digest, and the credentials for the registry; nothing was changed.",
    }),
  },
  {
    kind: "credentials",
    pattern: /context "(?<context>[^"]*)" does not exist/,
    parts: ({ context }) => ({
      title: "No such context",
      cause: `The kubeconfig has no context ${JSON.stringify(context)}.`,
      remedy: "Correct the input `context`; `kubectl config get-contexts` lists them.",
    }),
  },
  {
    kind: "credentials",
    pattern: /the server has asked for the client to provide credentials|Unauthorized/,
    parts: () => ({
      title: "The cluster does not accept the credentials",
      cause:
        "The API server answered 401 Unauthorized: the token or certificate is expired or of another cluster.",
      remedy: "Get new credentials in the same job, then run again.",
    }),
  },
  {
    kind: "namespace",
    pattern: /namespaces "(?<name>[^"]+)" not found/,
    parts: ({ name }) => missingNamespace(name ?? ""),
  },
  {
    kind: "forbidden",
    pattern:
      /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]+)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]+)"| at the cluster scope)?/,
    parts: (found) => forbidden(found),
  },
  {
    kind: "unreachable",
    pattern: /cluster unreachable: (?<why>[^\n]+)/i,
    parts: ({ why }) => ({
      title: "The cluster cannot be reached",
      cause: `Helm got no answer from the API server: ${why}.`,
      remedy: "Check that the kubeconfig's address is right and reachable from this runner.",
    }),
  },
  {
    kind: "values",
    pattern: /values don't meet the specifications of the schema\(s\)[^\n]*\n(?<problems>[\s\S]+)/,
    parts: ({ problems }) => ({
      title: "The values do not fit the chart's schema",
      cause: `values.schema.json rejects them: ${oneLine(problems ?? "")}.`,
      remedy: "Correct the values that it names; nothing was changed.",
    }),
  },
  {
    kind: "values",
    pattern: /failed to parse (?<file>[^:\n]+): (?<why>[^\n]+)/,
    parts: ({ file, why }) => ({
      title: "A values file is not valid YAML",
      cause: `${file}: ${(why ?? "").replace(/^(cannot unmarshal yaml document: )?error converting YAML to JSON: /, "")}.`,
      remedy: "Correct the file; nothing was changed.",
    }),
  },
  {
    kind: "chart",
    pattern: /found in Chart.yaml, but missing in charts\/ directory: (?<names>[^\n]+)/,
    parts: ({ names }, { chart }) => ({
      title: "The chart's dependencies are not there",
      cause: `Chart.yaml names ${names}, and the folder charts/ does not have it.`,
      remedy: `Run \`helm dependency build ${chart ?? "CHART"}\` in an earlier step, or commit charts/; nothing was changed.`,
    }),
  },
  {
    kind: "other",
    pattern:
      /(?:data: Too long: must have at most (?<bytes>\d+) |[Rr]equest entity too large|etcdserver: request is too large|rpc error: [^\n]*message larger than max)/,
    parts: (_, { doing }) => ({
      title: "The release is too large for Helm",
      cause: `Helm could not ${doing}: it keeps chart, values and manifest of a revision in one Secret, which holds 1 MiB, compressed.`,
      remedy:
        "Leave large files out of the chart (.helmignore), split it into several, or keep large contents elsewhere; nothing was changed.",
    }),
  },
  {
    kind: "chart",
    pattern:
      /path "[^"]*" not found|Chart\.yaml file is missing|unable to detect chart at|repo \S+ not found|failed to download|chart "[^"]*"[^\n]* not found|Chart\.yaml: no such file/,
    parts: (_, { chart }, words) => ({
      title: "No such chart",
      cause: `There is no chart at ${JSON.stringify(chart ?? "")}: ${firstLine(words)}.`,
      remedy:
        "Give a folder that holds Chart.yaml (was the repository checked out?), an `oci://` reference, or a chart of a repository that `helm repo add` made known.",
    }),
  },
  {
    kind: "chart",
    pattern: /Get "(?<url>(?:oci|https?):\/\/[^"]+)": (?<why>[^\n]+)/,
    parts: ({ url, why }, { chart }) => ({
      title: "The chart cannot be fetched",
      cause: `${JSON.stringify(chart ?? "")}: ${url} gives ${why}.`,
      remedy:
        "Check the reference and that this runner reaches the registry, logged in where it must be.",
    }),
  },
  {
    kind: "pending",
    pattern: /another operation \(install\/upgrade\/rollback\) is in progress/,
    parts: (_, { namespace }) => ({
      title: "Another Helm operation holds the release",
      cause: `Helm says that an install, upgrade or rollback of this release in namespace ${namespace} is in progress.`,
      remedy: "Wait for it to end, then run again.",
    }),
  },
  {
    kind: "ownership",
    pattern:
      /(?<what>\S+ "[^"]+")(?: in namespace "(?<namespace>[^"]*)")? exists and cannot be imported into the current release: (?<why>[^\n]+)/,
    parts: ({ what, why }) => ({
      title: "An object of the chart exists already, and is not this release's",
      cause: `${what} is there and was not made by this release: ${why}.`,
      remedy:
        "Delete or rename that object, or release under the name that it belongs to; nothing was changed.",
    }),
  },
  {
    kind: "conflict",
    pattern:
      /conflicts? with "(?<manager>[^"]+)"(?: with subresource "[^"]+")?(?: using \S+)?:\s*(?<fields>[\s\S]+)/,
    parts: ({ manager, fields }, _, words) => ({
      title: "Another manager owns a field of the chart",
      cause: `Server-side apply refuses: ${manager} owns ${oneLine(fields ?? "") || "a field"}.`,
      remedy:
        "Take the field out of the chart (an autoscaler owns spec.replicas: leave it out when autoscaling is on), or out of the other manager.",
      evidence: words,
    }),
  },
  {
    kind: "rejected",
    pattern:
      /(?:resource mapping not found for name: "(?<name>[^"]*)"[^\n]*|unable to recognize [^\n]*): no matches for kind "(?<kind>[^"]+)" in version "(?<version>[^"]+)"/,
    parts: ({ kind, version }) => ({
      title: "The cluster does not know a kind of the chart",
      cause: `The chart has a ${kind} of ${version}, which this cluster does not serve.`,
      remedy:
        "Install the custom resource definitions first, or use an API version that the cluster serves; nothing was changed.",
    }),
  },
  {
    kind: "hook",
    pattern:
      /(?<when>(?:pre|post)-(?:install|upgrade|rollback|delete))(?: hooks?)? failed: (?<why>[^\n]+)|failed (?<when2>(?:pre|post)-(?:install|upgrade)): (?<why2>[^\n]+)/,
    parts: ({ when, why, when2, why2 }, _, words) => ({
      title: `The ${when ?? when2} hook failed`,
      cause: `${when ?? when2}: ${why ?? why2}.`,
      remedy: "Look at the hook's Job and its logs.",
      evidence: words,
    }),
  },
  {
    kind: "rejected",
    pattern:
      /admission webhook "[^"]+" denied the request[^\n]*|exceeded quota[^\n]*|field is immutable|violates PodSecurity[^\n]*|is invalid: [^\n]+|ValidatingAdmissionPolicy[^\n]*|failed to create typed patch object|cannot be handled as a/,
    parts: (_, { doing }, words) => ({
      title: "The API server rejects an object of the chart",
      cause: `Helm could not ${doing}: ${oneLine(words)}.`,
      remedy: "Change the chart or the values so that the API server accepts the object it names.",
    }),
  },
  {
    kind: "deadline",
    pattern: /timed out waiting for the condition|context deadline exceeded/,
    parts: (_, { doing }, words) => ({
      title: "Helm ran into its timeout",
      cause: `Helm could not ${doing} in time: ${oneLine(words)}.`,
      remedy: "A hook that does not end is the usual reason: look at its Job and its logs.",
    }),
  },
];

/** The failure of a release that goes into a namespace that does not exist. */
export function missingNamespace(name: string): UserErrorParts {
  return {
    title: "No such namespace",
    cause: `The namespace ${name} does not exist.`,
    remedy: "Correct the input `namespace`, or set `create-namespace: true` to have it made.",
  };
}

function forbidden({ user, verb, resource, group, namespace }: Groups): UserErrorParts {
  const where = namespace === undefined ? "in the whole cluster" : `in namespace ${namespace}`;
  return {
    title: `No permission to ${verb} ${resource}`,
    cause: `403: ${user} may not ${verb} ${resource}${group ? ` (API group ${group})` : ""} ${where}.`,
    remedy: `Bind ${user} to a ${namespace === undefined ? "ClusterRole" : "Role"} with the rule {apiGroups: ["${group ?? ""}"], resources: ["${resource}"], verbs: ["${verb}"]}${namespace === undefined ? "" : ` in namespace ${namespace}`}.`,
  };
}

function missingHelm(error: CommandFailed): HelmFailure {
  return new HelmFailure(
    "missing",
    {
      title: "Helm is not there",
      cause: `${error.message}.`,
      remedy:
        "Install Helm 3 or 4 in an earlier step (GitHub's own runners have it), or name the program with the input `helm`; nothing was changed.",
    },
    error,
  );
}

function tooSlow(error: CommandFailed, { doing }: HelmTask): HelmFailure {
  const said = errorWords(error.stderrTail);
  return new HelmFailure(
    "deadline",
    {
      title: "Helm ran into the timeout",
      cause: `Helm could not ${doing} within ${Math.round(error.milliseconds / 1_000)} s${said === "" ? "" : `; its last words: ${firstLine(said)}`}.`,
      remedy:
        "A hook that does not end, or an API server that answers slowly, would do this. Raise `timeout` only if it needs longer.",
    },
    error,
  );
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function oneLine(text: string): string {
  return text
    .replace(/\s*\n\s*/g, " ")
    .trim()
    .replace(/\.$/, "");
}
