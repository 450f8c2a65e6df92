import { Unanswered } from "../probe/index.ts";
import type { Answer } from "./check.ts";
import type { HttpRequest } from "./request.ts";

const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * The request that a redirect asks for; undefined when the answer is none. 301, 302 and 303 turn
 * a POST into a GET, 307 and 308 repeat it (RFC 9110, section 15.4). Another origin gets none of
 * the headers, for they may hold credentials.
 *
 * @throws {Unanswered} when it leads to where a check must not go.
 */
export function redirected(
  request: HttpRequest,
  { status, headers }: Pick<Answer, "status" | "headers">,
): HttpRequest | undefined {
  const { location } = headers;
  if (!REDIRECTS.includes(status) || location === undefined) return undefined;
  const url = URL.parse(location, request.url.href);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw refused(`the redirect leads to ${JSON.stringify(location)}, which is no HTTP URL`);
  }
  const sameOrigin = url.origin === request.url.origin;
  if (request.via !== undefined && !sameOrigin) {
    throw refused(`the redirect leads away from what is asked, to ${url.origin}`);
  }
  const toGet =
    status === 303 ? request.method !== "HEAD" : status < 303 && request.method === "POST";
  return {
    ...request,
    url,
    ...(toGet ? { method: "GET", body: undefined } : {}),
    headers: sameOrigin ? request.headers : {},
  };
}

function refused(message: string): Unanswered {
  return new Unanswered(message, { trouble: "redirect", patience: Infinity });
}
