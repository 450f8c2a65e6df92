import type { Identity, Site } from "../../internet/index.ts";

export const TOKENS = "pipelines.actions.githubusercontent.com";
export const SUBJECT = "repo:shop/web:ref:refs/heads/main";
export const BEARER = "runner-bearer-0123456789";

/** What a runner gives a job that has `id-token: write`. */
export const mayIdentify = {
  ACTIONS_ID_TOKEN_REQUEST_URL: `https://${TOKENS}/idtoken/77?api-version=2.0`,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: BEARER,
};

/** GitHub's token service, as "OpenID Connect reference" has it. */
export function tokenSite(github: Identity): Site {
  return ({ method, url, headers }) => {
    if (method !== "GET" || url.pathname !== "/idtoken/77") return { status: 404 };
    if (url.searchParams.get("api-version") !== "2.0") return { status: 400 };
    if (headers.authorization !== `bearer ${BEARER}`) return { status: 401 };
    const audience = url.searchParams.get("audience") ?? "https://github.com/shop";
    return { status: 200, body: { count: 1_000, value: github.issue(audience, SUBJECT) } };
  };
}

/** A registry that takes one account by a token service on its own host, and forgets nothing. */
export function registrySite(
  host: string,
  isAccount: (username: string, password: string) => boolean,
  { realm = "/token" } = {},
): Site {
  return ({ url, headers }) => {
    const { authorization = "" } = headers;
    if (url.pathname === realm) {
      const [username = "", password = ""] = pairOf(authorization);
      if (!isAccount(username, password)) return { status: 401 };
      if (url.searchParams.get("service") !== host) return { status: 400 };
      return { status: 200, body: { token: `for-${url.searchParams.get("scope")}` } };
    }
    if (/^Bearer for-repository:.*:pull,push$/.test(authorization)) {
      return { status: 200, body: {} };
    }
    const challenge = `Bearer realm="https://${host}${realm}",service="${host}"`;
    return { status: 401, headers: { "www-authenticate": challenge } };
  };
}

export function pairOf(authorization: string): readonly [string, string] {
  const [scheme, encoded = ""] = authorization.split(" ");
  const pair = scheme === "Basic" ? Buffer.from(encoded, "base64").toString() : "";
  const colon = pair.indexOf(":");
  return [pair.slice(0, Math.max(colon, 0)), pair.slice(colon + 1)];
}
