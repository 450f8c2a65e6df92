import type { Answer, Identity, Site } from "../../internet/index.ts";
import { registrySite } from "./github-sites.ts";

export const PROVIDER =
  "projects/1234567890/locations/global/workloadIdentityPools/github/providers/shop";
export const ACCOUNT = "pusher@shop-123.iam.gserviceaccount.com";
export const REGISTRY = "europe-west3-docker.pkg.dev";

const FEDERATED = "ya29.federated-0123456789";
const OF_ACCOUNT = "ya29.account-0123456789";
const OF_KEY = "ya29.key-0123456789";

/** Google's token services and registry, refusing what their reference does not allow. */
export function googleSites(github: Identity, account: Identity): Readonly<Record<string, Site>> {
  return {
    "sts.googleapis.com": exchangeSite(github),
    "iamcredentials.googleapis.com": impersonationSite,
    "oauth2.googleapis.com": keySite(account),
    [REGISTRY]: registrySite(
      REGISTRY,
      (username, password) =>
        username === "oauth2accesstoken" && [FEDERATED, OF_ACCOUNT, OF_KEY].includes(password),
      { realm: "/v2/token" },
    ),
  };
}

function refusal(status: number, message: string): Answer {
  return { status, body: { error: { code: status, message, status: "INVALID_ARGUMENT" } } };
}

function exchangeSite(github: Identity): Site {
  const fields = new Set([
    ...["grantType", "audience", "scope", "requestedTokenType", "subjectToken"],
    ...["subjectTokenType", "options"],
  ]);
  return ({ method, url, headers, body }) => {
    if (method !== "POST" || url.pathname !== "/v1/token") return { status: 404 };
    if (headers.authorization !== undefined) return refusal(400, "Authorization is not allowed");
    if (!/^application\/json\b/.test(headers["content-type"] ?? "")) return refusal(400, "type");
    const given = JSON.parse(body) as Record<string, string>;
    const strange = Object.keys(given).find((field) => !fields.has(field));
    if (strange !== undefined) return refusal(400, `Unknown name "${strange}"`);
    const expected: Record<string, string> = {
      grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
      requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
      subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
      audience: `//iam.googleapis.com/${PROVIDER}`,
      scope: "https://www.googleapis.com/auth/cloud-platform",
    };
    for (const [field, value] of Object.entries(expected)) {
      if (given[field] === value) continue;
      const description = `Invalid value for "${field}".`;
      return { status: 400, body: { error: "invalid_request", error_description: description } };
    }
    const claims = github.claimsOf(given.subjectToken ?? "");
    if (claims?.aud !== `https://iam.googleapis.com/${PROVIDER}`) {
      const description = "The audience in ID Token does not match the expected audience.";
      return { status: 400, body: { error: "invalid_grant", error_description: description } };
    }
    const issued = "urn:ietf:params:oauth:token-type:access_token";
    const kind = { issued_token_type: issued, token_type: "Bearer", expires_in: 3_599 };
    return { status: 200, body: { access_token: FEDERATED, ...kind } };
  };
}

const impersonationSite: Site = ({ method, url, headers, body }) => {
  const path = decodeURIComponent(url.pathname);
  if (method !== "POST" || !path.startsWith("/v1/projects/-/serviceAccounts/")) {
    return { status: 404 };
  }
  if (headers.authorization !== `Bearer ${FEDERATED}`) return { status: 401 };
  if (path !== `/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`) {
    return refusal(403, "Permission 'iam.serviceAccounts.getAccessToken' denied on resource");
  }
  const { scope, lifetime } = JSON.parse(body) as { scope?: unknown; lifetime?: string };
  if (!Array.isArray(scope) || scope.length === 0) return refusal(400, "scope is required");
  if (lifetime !== undefined && !/^\d+s$/.test(lifetime)) return refusal(400, "lifetime");
  const expireTime = new Date(Date.now() + 3_600_000).toISOString();
  return { status: 200, body: { accessToken: OF_ACCOUNT, expireTime } };
};

function keySite(account: Identity): Site {
  return ({ method, url, headers, body }) => {
    if (method !== "POST" || url.pathname !== "/token") return { status: 404 };
    if (!/^application\/x-www-form-urlencoded/.test(headers["content-type"] ?? "")) {
      return { status: 400, body: { error: "unsupported_grant_type" } };
    }
    const form = new URLSearchParams(body);
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") {
      return { status: 400, body: { error: "unsupported_grant_type" } };
    }
    const claims = account.claimsOf(form.get("assertion") ?? "");
    const lifetime = Number(claims?.exp) - Number(claims?.iat);
    const good =
      claims?.iss === ACCOUNT &&
      claims.aud === "https://oauth2.googleapis.com/token" &&
      claims.scope === "https://www.googleapis.com/auth/cloud-platform" &&
      lifetime > 0 &&
      lifetime <= 3_600;
    if (!good) {
      const description = "Invalid JWT Signature.";
      return { status: 400, body: { error: "invalid_grant", error_description: description } };
    }
    return { status: 200, body: { access_token: OF_KEY, expires_in: 3_599, token_type: "Bearer" } };
  };
}
