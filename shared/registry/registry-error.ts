import { codeOf, describe, UserError, type UserErrorParts } from "../failure/index.ts";
import type { HttpResponse } from "./request.ts";
import { lacking } from "./scope.ts";

/** What was asked of a registry, for messages. */
export interface Question {
  readonly method: string;
  readonly url: URL;
  /** What the credentials must allow, in the words of the distribution specification. */
  readonly scopes: readonly string[];
  /** How it was signed; undefined when no credentials are known. */
  readonly as: string | undefined;
  /** What the token that it bore says it gives; undefined when it says nothing. */
  readonly given: readonly string[] | undefined;
}

/** A registry's no, with what tells one from another. */
export class Refused extends UserError {
  readonly status: number;
  /** The registry's own words. */
  readonly words: string;

  constructor(parts: UserErrorParts, { status, words }: { status: number; words: string }) {
    super(parts);
    this.status = status;
    this.words = words;
  }
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
export function refused(question: Question, response: Said): Refused {
  const { url, as } = question;
  const { status } = response;
  const words = wordsOf(response);
  const said = words === "" ? "" : `, in its words: ${words}`;
  const asked = `${question.method} ${url.origin}${url.pathname}`;
  const signed = as === undefined ? "without credentials" : `as ${as}`;
  const make = (title: string, cause: string, remedy: string) =>
    new Refused({ title, cause, remedy }, { status, words });
  if (status === 401) {
    return make(
      `The registry ${url.host} does not accept ${as === undefined ? "us without credentials" : "the credentials"}`,
      `${asked} was asked ${signed} and answered 401 Unauthorized${said}.${missingScope(question)}`,
      as === undefined
        ? "Give the inputs username and password, or run docker/login-action in a step before."
        : "Check username and password: a token may be revoked, expired, of another registry, or without that scope.",
    );
  }
  if (status === 507 || (status !== 429 && isFull(words))) {
    return make(
      `The registry ${url.host} is full`,
      `${asked} answered ${status}${said}.`,
      "Remove old images there, or raise its quota; then run again.",
    );
  }
  if (isReadOnly(words) || (status === 405 && question.method !== "DELETE")) {
    return make(
      `The registry ${url.host} is read-only`,
      `${asked} answered ${status}${said}.`,
      "It takes no images now or at this address: wait for the end of its maintenance, or give the address that takes pushes, not that of a mirror or cache.",
    );
  }
  if (status === 403) {
    return make(
      `The registry ${url.host} forbids it`,
      `${asked} was asked ${signed} and answered 403 Forbidden${said}.${missingScope(question)}`,
      "Grant the account that scope. On ghcr.io the job needs `permissions: packages: write`, and the package must give this repository access.",
    );
  }
  return make(
    `The registry ${url.host} answered ${status}`,
    `${asked} answered ${status}${said}.${waiting(response)}`,
    remedyFor(status, words),
  );
}

type Said = Pick<HttpResponse, "status" | "body" | "headers">;

function remedyFor(status: number, words: string): string {
  if (status === 429) {
    return "The registry limits how often it is asked: wait, or log in to be allowed more.";
  }
  if (status === 413) {
    return "A proxy before the registry takes no layer of that size: raise its limit, or make the layer smaller.";
  }
  if (status >= 500) {
    return "The fault is the registry's; it was asked again and again. Run again when it is well.";
  }
  if (isImmutable(words)) {
    return "The registry lets no tag be pushed twice: give another tag, such as the commit's sha.";
  }
  if (status === 404 && /NAME_UNKNOWN|does not exist|not found/i.test(words)) {
    return "Create the repository there first, or check the input `registry`: this registry makes none by itself.";
  }
  return "Check that the input `registry` names a registry and a path that you may use there.";
}

function waiting({ headers }: Said): string {
  const asked = headers["retry-after"];
  return asked === undefined ? "" : ` It asks to be left alone until then: Retry-After ${asked}.`;
}

/** Names what is not allowed: all that was asked for, or what the token says it leaves out. */
function missingScope({ scopes, given }: Question): string {
  if (scopes.length === 0) return "";
  const absent = given === undefined ? [] : lacking(given, scopes);
  if (given === undefined || absent.length === 0) {
    return ` The scope that is missing is ${scopes.join(" ")}.`;
  }
  const gave = given.length === 0 ? "nothing" : `only ${given.join(" ")}`;
  return ` The scope that is missing is ${absent.join(" ")}: its token server gave ${gave}.`;
}

/** The failure of an account whose token gives less than was asked for, told before it is used. */
export function ungranted(host: string, question: Question): Refused {
  const signed = question.as === undefined ? "Without credentials" : `As ${question.as}`;
  return new Refused(
    {
      title: `The registry ${host} forbids it`,
      cause: `${signed} a token was given, and not for all that was asked.${missingScope(question)}`,
      remedy:
        "Grant the account that scope. On ghcr.io the job needs `permissions: packages: write`, and the package must give this repository access.",
    },
    { status: 403, words: "" },
  );
}

/** Whether a registry's words mean that it has no room left. */
export function isFull(words: string): boolean {
  return /no space left|insufficient storage|quota|storage (?:is )?full|disk (?:is )?full|out of space/i.test(
    words,
  );
}

/** Whether a registry's words mean that it takes nothing from anybody. */
export function isReadOnly(words: string): boolean {
  return /read[- ]?only|maintenance/i.test(words);
}

/** Whether a registry's words mean that a tag that is there may not be moved. */
export function isImmutable(words: string): boolean {
  return /immutable|cannot be overwritten|already exists|ImageTagAlreadyExists/i.test(words);
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

/** Bytes of a registry that do not have their digest. */
export class Contradiction extends UserError {}

/** The failure of a registry whose manifest does not have the digest that it reports. */
export function contradictory(
  name: string,
  reference: string,
  reported: string,
  computed: string,
): UserError {
  return new Contradiction({
    title: "The registry contradicts itself",
    cause: `${name}: the registry reports ${reported} for ${reference}, but what it sends has ${computed}.`,
    remedy: "Look for a proxy or cache before the registry that alters or mixes up answers.",
  });
}

/** The failure of a registry that does not keep what it is sent as it is sent. */
export function corrupted(name: string, digest: string, how: string): UserError {
  return new UserError({
    title: "The registry garbles what it is sent",
    cause: `${name}: ${digest} was sent, but ${how}.`,
    remedy: "Look for a proxy before the registry that alters or cuts what passes; then run again.",
  });
}
