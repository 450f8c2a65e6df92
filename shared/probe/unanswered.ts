import { codeOf, describe } from "../failure/index.ts";

/** Why there was no answer to judge. */
export type Trouble =
  | "name"
  | "refused"
  | "unreachable"
  | "broken-off"
  | "timeout"
  | "certificate"
  | "not-tls"
  | "not-http"
  | "proxy"
  | "redirect"
  | "not-ready"
  | "service"
  | "command"
  | "other";

/**
 * A request that got no answer, worded for people.
 */
export class Unanswered extends Error {
  readonly trouble: Trouble;
  /**
   * How long waiting for it to heal makes sense, in milliseconds: 0 where it cannot heal,
   * Infinity where only the deadline of the whole counts.
   */
  readonly patience: number;

  constructor(
    message: string,
    parts: { readonly trouble: Trouble; readonly patience: number; readonly reason?: unknown },
  ) {
    super(message, { cause: parts.reason });
    this.name = "Unanswered";
    this.trouble = parts.trouble;
    this.patience = parts.patience;
  }
}

/** A record that was just made may be some seconds late; a misspelt name stays unknown. */
const NAME_PATIENCE_MS = 10_000;

const CERTIFICATE_CODES =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH_|INVALID_PURPOSE)/;

/** Words and patience for what a client threw while it talked to `host` (with the port). */
export function explain(thrown: unknown, host: string): Unanswered {
  if (thrown instanceof Unanswered) return thrown;
  const code = codeOf(thrown) ?? "";
  const detail = describe(thrown);
  const make = (trouble: Trouble, patience: number, message: string) =>
    new Unanswered(message, { trouble, patience, reason: thrown });
  if (code === "ENOTFOUND") {
    return make("name", NAME_PATIENCE_MS, `the name of ${host} is not known to DNS (${code})`);
  }
  if (code === "EAI_AGAIN") {
    return make("name", Infinity, `DNS gave no answer for ${host} (${code})`);
  }
  if (code === "ECONNREFUSED")
    return make("refused", Infinity, `${host} refuses connections (${code})`);
  if (/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/.test(code)) {
    return make("unreachable", Infinity, `${host} cannot be reached (${code})`);
  }
  if (/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/.test(code)) {
    return make("timeout", Infinity, `${host} does not accept connections: ${detail}`);
  }
  if (CERTIFICATE_CODES.test(code)) {
    return make(
      "certificate",
      0,
      `the certificate of ${host} is not valid here: ${detail} (${code})`,
    );
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) {
    return make("not-tls", 0, `TLS with ${host} failed: ${tlsWords(detail)}`);
  }
  // The parser's own word for a connection that ended between two chunks; it gives it no code.
  if (isParserError(thrown) && /Invalid EOF state/.test(detail)) {
    return make(
      "broken-off",
      Infinity,
      `${host} broke the connection off in the middle of its answer`,
    );
  }
  if (isParserError(thrown) || code === "UND_ERR_HEADERS_OVERFLOW") {
    return make("not-http", Infinity, `${host} does not answer in proper HTTP: ${detail}`);
  }
  if (/^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/.test(code)) {
    return make("broken-off", Infinity, `${host} broke the connection off: ${detail} (${code})`);
  }
  const proxied = /Proxy response \((\d+)\)/.exec(detail)?.[1];
  if (proxied !== undefined) {
    const patience = proxied === "407" ? 0 : Infinity;
    return make("proxy", patience, `the proxy refused the way to ${host} with status ${proxied}`);
  }
  return make("other", Infinity, `the request to ${host} failed: ${detail}`);
}

/** The parser's errors have codes of their own (HPE_...), with and without a prefix. */
function isParserError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "HTTPParserError";
}

/** OpenSSL's message without its address, library and source file. */
function tlsWords(detail: string): string {
  return /SSL routines:[^:]*:([^:]+)/.exec(detail)?.[1] ?? detail.trim();
}
