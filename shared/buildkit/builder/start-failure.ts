import { UserError, type UserErrorParts } from "../../failure/index.ts";
import { shorten } from "../build-error.ts";
import { imageOf, type NodeSettings } from "./settings.ts";

/** A builder that was to be made, for messages. */
export interface StartSubject {
  readonly name: string;
  readonly driver: string;
  readonly nodes: readonly NodeSettings[];
}

/**
 * A builder that cannot be made or does not start, told so that it can be mended.
 *
 * @param said the error in buildx's words.
 * @param pods what is known of the pods of a builder in a cluster.
 */
export function startFailure(
  subject: StartSubject,
  said: string,
  pods: string | undefined,
  reason?: unknown,
): UserError {
  for (const { pattern, tell } of KNOWN) {
    const found = pattern.exec(said);
    if (found !== null) return new UserError(tell(subject, found, pods), { reason });
  }
  return new UserError(
    {
      title: `The ${subject.driver} builder does not start`,
      cause: `Of the builder ${subject.name} buildx says: ${shorten(said)}.${pods === undefined ? "" : ` ${pods}`}`,
      remedy: "Check the inputs driver, driver-opts and builder-nodes.",
    },
    { reason },
  );
}

/** A pod of a builder that will not start by itself. */
export function podFailure(subject: StartSubject, pods: string): UserError {
  return new UserError({
    title: "The kubernetes builder does not start",
    cause: `Of the builder ${subject.name}: ${pods}`,
    remedy: /image/i.test(pods)
      ? `Check the option image of driver-opts (now ${images(subject)}), and that the cluster's nodes can pull it.`
      : "Mend what keeps the pod from starting, or change driver-opts; then run again.",
  });
}

function images({ nodes }: StartSubject): string {
  return [...new Set(nodes.map(({ options }) => imageOf(options)))].join(", ");
}

interface Known {
  readonly pattern: RegExp;
  readonly tell: (
    subject: StartSubject,
    found: RegExpExecArray,
    pods: string | undefined,
  ) => UserErrorParts;
}

const KNOWN: readonly Known[] = [
  {
    pattern:
      /(?:Cannot connect to the Docker daemon|connect to the docker API) at (\S+?)[.;](?:\s|$)|docker API access/,
    tell: (_, [, address]) => ({
      title: "There is no Docker daemon",
      cause: `A builder in a container needs a Docker daemon, and none answers${address === undefined ? "" : ` at ${address}`}.`,
      remedy:
        "Start the Docker daemon, or name BuildKit's address in the input `buildkit`, or build in a cluster with `driver: kubernetes`.",
    }),
  },
  {
    pattern: /forbidden: (User "[^"]*" cannot \w+ resource "[^"]*"[^:;]*)/,
    tell: (_, [, what = ""]) => ({
      title: "The cluster does not let us make a builder",
      cause: `The API server says: ${shorten(what)}.`,
      remedy:
        "Grant that right by a Role in the namespace (deployments, statefulsets, configmaps: get, create, update, delete; pods: get, list; pods/exec: create), or name another namespace in driver-opts.",
    }),
  },
  {
    pattern: /namespaces? "([^"]+)" not found/,
    tell: (_, [, namespace = ""]) => ({
      title: "The builder's namespace does not exist",
      cause: `The cluster has no namespace ${namespace}.`,
      remedy: "Make it, or name another one in driver-opts: `namespace=…`.",
    }),
  },
  {
    pattern: /exceeded quota: (.*)$/s,
    tell: (_, [, what = ""]) => ({
      title: "The builder is more than the namespace may have",
      cause: `The API server says: exceeded quota: ${shorten(what)}.`,
      remedy: "Lower requests and limits in driver-opts, or raise the quota.",
    }),
  },
  {
    pattern: /invalid driver option (\S+)/,
    tell: ({ driver }, [, option = ""]) => ({
      title: "The input driver-opts is wrong",
      cause: `The driver ${driver} has no option ${option}.`,
      remedy: "Leave it out; the options of each driver are in docs/builders.md.",
    }),
  },
  {
    pattern: /expected (\d+) replicas to be ready, got (\d+)/,
    tell: ({ name }, [, wanted = "", got = ""], pods) => ({
      title: "The kubernetes builder does not start",
      cause: `Of the builder ${name}, ${got} of ${wanted} pods became ready in time.${pods === undefined ? "" : ` ${pods}`}`,
      remedy:
        "Mend what keeps the pods from starting, or give them longer by the option timeout of driver-opts.",
    }),
  },
  {
    pattern:
      /(?:pull access denied|manifest (?:for .* )?(?:unknown|not found)|failed to resolve reference|no such image|repository .* not found|daemon: (?:Head|Get) "http)/i,
    tell: (subject, { input: words }) => ({
      title: "The builder's image cannot be had",
      cause: `The ${subject.driver} builder runs ${images(subject)}: ${shorten(words)}.`,
      remedy:
        "Name an image that this runner can pull in driver-opts: `image=…`; for a private registry run docker login before.",
    }),
  },
  {
    pattern:
      /(?:kubernetes API access|no configuration has been provided|dial tcp|no such host|certificate|Unauthorized)/i,
    tell: ({ driver }, { input: words }) => ({
      title:
        driver === "kubernetes" ? "The cluster cannot be reached" : "The builder cannot be made",
      cause: `buildx says: ${shorten(words)}.`,
      remedy:
        driver === "kubernetes"
          ? "The driver kubernetes uses KUBECONFIG and its current context: check both, and that this runner may connect to the cluster."
          : "Check the address, and that this runner may connect to it.",
    }),
  },
];
