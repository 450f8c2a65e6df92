import { codeOf, describe, UserError } from "../failure/index.ts";
import { PluginFailed } from "./exec-plugin.ts";

/** What was asked of the API server, for messages. */
export interface Asked {
  /** A verb as RBAC knows it: get, list, watch, create, patch, delete ... */
  readonly verb: string;
  /** Plural resource, with its subresource: `pods/log`. */
  readonly resource: string;
  readonly group?: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** The API server answered, and the answer was no. */
export class ApiError extends UserError {
  /** HTTP status. */
  readonly status: number;
  /** The machine-readable reason of the Status object: NotFound, Forbidden, AlreadyExists, ... */
  readonly apiReason: string;
  /** The API server's own words. */
  readonly apiMessage: string;
  /** The single faults, where it lists them: invalid fields, conflicts with managers. */
  readonly causes: readonly StatusCause[];

  constructor(parts: ConstructorParameters<typeof UserError>[0], answer: Answer) {
    super(parts);
    this.name = "ApiError";
    this.status = answer.status;
    this.apiReason = answer.reason;
    this.apiMessage = answer.message;
    this.causes = answer.causes ?? [];
  }
}

/** One fault of several, as a Status object lists them in its details. */
export interface StatusCause {
  /** FieldManagerConflict, FieldValueInvalid, FieldValueForbidden, ... */
  readonly reason?: string;
  readonly message?: string;
  /** `.spec.replicas` of a conflict, `spec.selector` of an invalid field. */
  readonly field?: string;
}

/** No answer came: no connection, no trust, or the connection broke. */
export class Unreachable extends UserError {
  readonly code: string;
  /** Whether trying again could help; a certificate that is not trusted stays so. */
  readonly transient: boolean;

  constructor(server: string, error: unknown) {
    const code = codeOf(error) ?? "unknown";
    const trust = isTrustProblem(code, error);
    super(trust ? untrusted(server, error) : unanswered(server, code, error), { reason: error });
    this.name = "Unreachable";
    this.code = code;
    this.transient = !trust && code !== "ENOTFOUND";
  }
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly causes?: readonly StatusCause[];
}

/** Whether the error says that the thing asked for does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** Whether the API server knows who asks, and does not let them: no waiting changes that. */
export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403;
}

/** Whether the list or watch must begin anew: its resourceVersion is too old. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || error.apiReason === "Expired");
}

/** Whether waiting can help: the server is away, overloaded, or in the middle of a restart. */
export function isTransient(error: unknown): boolean {
  if (error instanceof Unreachable || error instanceof PluginFailed) return error.transient;
  if (!(error instanceof ApiError)) return false;
  return error.status === 429 || (error.status >= 500 && !NOT_IN_SCHEMA.test(error.apiMessage));
}

/** Server-side apply answers 500 to fields that the kind does not have: no trouble of the server. */
const NOT_IN_SCHEMA = /failed to create typed (patch|live|new) object|field not declared in schema/;

/**
 * Makes the error for an answer other than success from its status and body.
 *
 * @param expiry of credentials that are not accepted: when they ran out, where that is known.
 */
export function apiError(status: number, body: string, asked: Asked, expiry?: string): ApiError {
  const answer = readStatus(status, body);
  if (status === 401) return new ApiError(unauthorized(answer, expiry), answer);
  if (status === 403) return new ApiError(refused(answer, asked), answer);
  if (status === 404) return new ApiError(notFound(answer, asked), answer);
  return new ApiError(
    {
      title: `The API server did not ${asked.verb} ${asked.resource}`,
      cause: `${phrase(asked)}: ${answer.message} (${status} ${answer.reason}).`,
      remedy: remedyOf(answer),
    },
    answer,
  );
}

function remedyOf({ status, message }: Answer): string {
  if (NOT_IN_SCHEMA.test(message)) {
    return "The object has a field that its kind does not have at that place: correct its name or its indentation.";
  }
  return status >= 500 || status === 429
    ? "The API server is in trouble or overloaded: run again, or look at its own logs."
    : "Correct what the API server names, then run again.";
}

function readStatus(status: number, body: string): Answer {
  try {
    const { reason, message, details } = JSON.parse(body) as {
      reason?: unknown;
      message?: unknown;
      details?: { causes?: unknown } | null;
    };
    const causes = details?.causes;
    return {
      status,
      reason: typeof reason === "string" ? reason : "",
      message: typeof message === "string" ? message : body.slice(0, 500),
      causes: Array.isArray(causes) ? causes : [],
    };
  } catch {
    return { status, reason: "", message: body.trim().slice(0, 500) || "no message" };
  }
}

const UNTOLD = "The token or certificate is expired, revoked, or of another cluster";

function unauthorized(answer: Answer, expiry = UNTOLD) {
  return {
    title: "The cluster does not accept the credentials",
    cause: `The API server answered 401: ${answer.message}. ${expiry}.`,
    remedy: "Get new credentials, then run again: short-lived tokens must be made in the same job.",
  };
}

/** The words of the RBAC authorizer, apiserver/pkg/endpoints/handlers/responsewriters/errors.go. */
const RBAC =
  /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]+)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]+)")?/;

function refused(answer: Answer, asked: Asked) {
  const denied = RBAC.exec(answer.message)?.groups;
  if (denied === undefined) {
    return {
      title: `The API server refused to ${asked.verb} ${asked.resource}`,
      cause: `${phrase(asked)}: ${answer.message} (403).`,
      remedy:
        "A quota, an admission policy or a webhook says no: its words above tell what to change.",
    };
  }
  const { user, verb, resource, group, namespace } = denied;
  const where = namespace === undefined ? "in the whole cluster" : `in namespace ${namespace}`;
  const kind = namespace === undefined ? "ClusterRole" : "Role";
  return {
    title: `No permission to ${verb} ${resource}`,
    cause: `403: ${user} may not ${verb} ${resource}${group ? ` (API group ${group})` : ""} ${where}.`,
    remedy: `Bind ${user} to a ${kind} with the rule {apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]}${namespace === undefined ? "" : ` in namespace ${namespace}`}.`,
  };
}

function notFound(answer: Answer, asked: Asked) {
  return {
    title: asked.name === undefined ? `No ${asked.resource} here` : `${asked.name} does not exist`,
    cause: `${phrase(asked)}: ${answer.message} (404).`,
    remedy: "Check the name, the namespace and the cluster that the kubeconfig names.",
  };
}

function phrase({ verb, resource, name, namespace }: Asked): string {
  const what = name === undefined ? resource : `${resource} ${name}`;
  return `${verb} ${what}${namespace === undefined ? "" : ` in namespace ${namespace}`}`;
}

function isTrustProblem(code: string, error: unknown): boolean {
  return (
    /^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO)/.test(code) ||
    /certificate/i.test(describe(error))
  );
}

function untrusted(server: string, error: unknown) {
  return {
    title: "No secure connection to the cluster",
    cause: `TLS with ${server} failed: ${describe(error)} (${codeOf(error) ?? "no code"}).`,
    remedy:
      "Check certificate-authority-data and the client certificate in the kubeconfig; a proxy or " +
      "another server may answer at that address.",
  };
}

function unanswered(server: string, code: string, error: unknown) {
  return {
    title: "The cluster cannot be reached",
    cause: `No answer from ${server}: ${describe(error)}${describe(error).includes(code) ? "" : ` (${code})`}.`,
    remedy:
      "Check that the address is right and reachable from this runner: a firewall, a private " +
      "endpoint, or a cluster that is down would do this.",
  };
}
