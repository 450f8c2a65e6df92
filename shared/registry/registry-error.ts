import { codeOf, describe, UserError } from "../failure/index.ts";
import type { HttpResponse } from "./request.ts";

/** What was asked of a registry, for messages. */
export interface Question {
  readonly method: string;
  readonly url: URL;
  /** What the credentials must allow, in the words of the distribution specification. */
  readonly scope: string | undefined;
  /** How it was signed; undefined when no credentials are known. */
  readonly as: string | undefined;
}

/** The failure of a registry that gives no answer at all. */
export function unreachable({ method, url }: Question, error: unknown): UserError {
  const code = codeOf(error) ?? "";
  return new UserError(
    {
      title: `The registry ${url.host} cannot be reached`,
      cause: `${method} ${url.origin}${url.pathname}: ${describe(error)}.`,
      remedy: ADVICE[code] ?? ADVICE.other ?? "",
    },
    { reason: error },
  );
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOTFOUND: "Check the host in the input `registry`; this machine finds no address for it.",
  ECONNREFUSED:
    "Check host and port in the input `registry`, and that the registry runs and can be reached from this runner.",
  EPROTO:
    "The registry seems to speak plain http, which is used for registries on this machine only: give it TLS.",
  ERR_SSL_WRONG_VERSION_NUMBER:
    "The registry seems to speak plain http, which is used for registries on this machine only: give it TLS.",
  SELF_SIGNED_CERT_IN_CHAIN: "Let the runner trust the authority: set NODE_EXTRA_CA_CERTS.",
  DEPTH_ZERO_SELF_SIGNED_CERT: "Let the runner trust the certificate: set NODE_EXTRA_CA_CERTS.",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "Let the runner trust the authority: set NODE_EXTRA_CA_CERTS.",
  other: "Check that the registry runs and can be reached from this runner, and run again.",
};

/** The failure of a registry that answers, and not as it should. */
export function refused(question: Question, response: HttpResponse): UserError {
  const { url, scope, as } = question;
  const { status } = response;
  const words = wordsOf(response);
  const said = words === "" ? "" : `, in its words: ${words}`;
  const asked = `${question.method} ${url.origin}${url.pathname}`;
  const needed = scope === undefined ? "" : ` The scope that is missing is ${scope}.`;
  const signed = as === undefined ? "without credentials" : `as ${as}`;
  if (status === 401) {
    return new UserError({
      title: `The registry ${url.host} does not accept ${as === undefined ? "us without credentials" : "the credentials"}`,
      cause: `${asked} was asked ${signed} and answered 401 Unauthorized${said}.${needed}`,
      remedy:
        as === undefined
          ? "Give the inputs username and password, or run docker/login-action in a step before."
          : "Check username and password: a token may be revoked, expired or of another registry.",
    });
  }
  if (status === 403) {
    return new UserError({
      title: `The registry ${url.host} forbids it`,
      cause: `${asked} was asked ${signed} and answered 403 Forbidden${said}.${needed}`,
      remedy:
        "Grant the account that scope. On ghcr.io the job needs `permissions: packages: write`, and the package must give this repository access.",
    });
  }
  return new UserError({
    title: `The registry ${url.host} answered ${status}`,
    cause: `${asked} answered ${status}${said}.`,
    remedy:
      status === 429
        ? "The registry limits how often it is asked: wait, or log in to be allowed more."
        : status >= 500
          ? "The fault is the registry's; it was asked again and again. Run again when it is well."
          : "Check that the input `registry` names a registry and a path that you may use there.",
  });
}

/** What a registry says in the body of a refusal. Source: OCI distribution, "Error Codes". */
export function wordsOf({ body }: Pick<HttpResponse, "body">): string {
  const text = body.toString("utf8").trim();
  try {
    const { errors, details, message } = JSON.parse(text) as {
      errors?: { code?: string; message?: string }[];
      details?: string;
      message?: string;
    };
    const sentences = errors?.map(({ code, message: m }) => [code, m].filter(Boolean).join(": "));
    return sentences?.join("; ") || details || message || "";
  } catch {
    return /^\s*</.test(text) ? "" : (text.slice(0, 200).split("\n")[0]?.trim() ?? "");
  }
}

/** The failure of a host that answers, and is none. */
export function noRegistry(url: URL): UserError {
  return new UserError({
    title: `${url.host} is no registry`,
    cause: `GET ${url.origin}${url.pathname} was answered with a web page.`,
    remedy: "Check host and port in the input `registry`: a web site answers there.",
  });
}

/** The failure of a registry whose manifest does not have the digest that it reports. */
export function contradictory(
  name: string,
  reference: string,
  reported: string,
  computed: string,
): UserError {
  return new UserError({
    title: "The registry contradicts itself",
    cause: `${name}: the registry reports ${reported} for ${reference}, but what it sends has ${computed}.`,
    remedy: "Look for a proxy or cache before the registry that alters or mixes up answers.",
  });
}
