import { UserError } from "../failure/index.ts";
import type { Trouble } from "../probe/index.ts";

/** What a user needs to know of a fetch that failed. */
export interface Attempted {
  /** What was fetched, such as `helm 4.3.0`. */
  readonly what: string;
  readonly url: URL;
  /** Where it led to by redirects; their queries hold credentials, and are not shown. */
  readonly asked: URL;
  /** Whether the address is a mirror's. */
  readonly mirrored: boolean;
  readonly tries: number;
  readonly seconds: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const CLOSED: readonly Trouble[] = ["name", "refused", "unreachable", "timeout", "proxy"];

/** A network that does not let the file through, with the ways around it. */
export function networkError(attempted: Attempted, trouble: Trouble, words: string): UserError {
  const { what, url, asked, mirrored, tries, seconds, environment } = attempted;
  const cause = `${capital(words)}. It was tried ${times(tries)} in ${seconds} s, for ${url.href}. ${proxyWords(asked, environment)}`;
  const title = `${what} could not be fetched`;
  if (trouble === "certificate" || trouble === "not-tls") {
    return new UserError({
      title,
      cause,
      remedy:
        "Where a proxy or mirror has a certificate authority of its own, set NODE_EXTRA_CA_CERTS to its file in the step's env.",
    });
  }
  const open = mirrored
    ? `Check the input mirror, and that the runner reaches ${asked.host}`
    : `Let the runner reach ${hosts(url, asked)}, set HTTPS_PROXY, or name a mirror by the input mirror`;
  const remedy = CLOSED.includes(trouble)
    ? `${open}; a tool that is on the runner's PATH already needs no network. docs/tools.md tells how.`
    : `Run the job again; where it stays so, ${mirrored ? "look after the mirror" : "name a mirror by the input mirror"}.`;
  return new UserError({ title, cause, remedy });
}

function proxyWords(url: URL, environment: Attempted["environment"]): string {
  const names =
    url.protocol === "https:" ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy", "HTTP_PROXY"];
  const set = names.find((name) => environment[name]);
  if (set === undefined) return `No proxy is set (${names[1]}).`;
  const proxy = URL.parse(environment[set] ?? "");
  const without = environment.no_proxy ?? environment.NO_PROXY;
  return `The proxy is ${proxy?.host ?? "not a URL"} (${set})${without ? `, and NO_PROXY is ${without}` : ""}.`;
}

/** An answer that is no file. */
export function statusError(
  attempted: Attempted,
  status: number,
  mirrorHeader: boolean,
): UserError {
  const { what, url, asked, mirrored, tries, seconds } = attempted;
  const again = tries > 1 ? `, ${times(tries)} in ${seconds} s` : "";
  return new UserError({
    title: `${what} could not be fetched`,
    cause: `${asked.host} answered with status ${status} to the request for ${url.href}${again}.`,
    remedy: remedyOf(status, asked, mirrored, mirrorHeader),
  });
}

function remedyOf(status: number, url: URL, mirrored: boolean, header: boolean): string {
  if (status === 401 || status === 403) {
    if (!mirrored)
      return `Ask whoever runs the network why ${url.host} refuses it, or name a mirror by the input mirror.`;
    return header
      ? "Check the secret behind the input mirror-header: the mirror does not accept it."
      : "Give the mirror's credentials by the input mirror-header, from a secret.";
  }
  if (status === 404 || status === 410) {
    return mirrored
      ? "Put the file on the mirror at this address, or correct the input mirror; docs/tools.md tells how addresses are made."
      : "The publisher has taken the file away: ask for another version.";
  }
  return status === 429
    ? "The server takes no more requests for now: run the job later, or name a mirror by the input mirror."
    : "Run the job again later, or name a mirror by the input mirror.";
}

/** Bytes that are not those of the table. */
export function checksumError(
  attempted: Attempted,
  digests: { readonly expected: string; readonly got: string; readonly table: "built-in" | "own" },
  received: { readonly bytes: number; readonly beginning: Buffer },
): UserError {
  const { what, url, mirrored } = attempted;
  const page = pageTitle(received.beginning);
  const given =
    page === undefined
      ? ""
      : ` It is a web page${page === "" ? "" : ` with the title ${JSON.stringify(page)}`}: something on the way asks for a login or shows a notice.`;
  const table = digests.table === "own" ? "your own table" : "the table";
  return new UserError({
    title: `${what} is not what it should be`,
    cause: `The ${received.bytes} bytes from ${url.href} have the SHA-256 checksum ${digests.got}; ${table} has ${digests.expected}.${given} Nothing was unpacked or run.`,
    remedy:
      page !== undefined
        ? "Open the way to the file for the runner, or name a mirror by the input mirror."
        : mirrored
          ? "Put the publisher's own file on the mirror. Where it is a build of your own, tell its checksum by the input table."
          : "Do not use the file. Run the job again; where it stays so, report it, for the publisher's file has changed or the table is wrong.",
  });
}

/** The title of a web page; empty when it has none, undefined when this is no web page. */
function pageTitle(beginning: Buffer): string | undefined {
  const text = beginning.toString("utf8");
  if (!/^\s*(<!doctype html|<html)/i.test(text)) return undefined;
  return /<title[^>]*>([^<]{0,200})/i.exec(text)?.[1]?.trim() ?? "";
}

function hosts(url: URL, asked: URL): string {
  return url.host === asked.host ? url.host : `${url.host} and ${asked.host}`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
