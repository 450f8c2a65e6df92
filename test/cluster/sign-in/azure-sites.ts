import { type Answer, Identity, type Request, type Site } from "../../internet/index.ts";
import { registrySite, SUBJECT } from "./github-sites.ts";

export const TENANT = "72f988bf-0000-4000-8000-2d7cd011db47";
export const CLIENT = "11111111-2222-4333-8444-555555555555";
export const REGISTRY = "shop.azurecr.io";
export const SECRET = "client~secret~0123456789";

const REFRESH = "acr-refresh-0123456789";
const NOBODY = "00000000-0000-0000-0000-000000000000";

/** Entra ID and a registry of Azure's, refusing what their reference does not allow. */
export function azureSites(github: Identity): Readonly<Record<string, Site>> {
  const entra = new Identity(`https://sts.windows.net/${TENANT}/`);
  const tokens = registrySite(
    REGISTRY,
    (username, password) => username === NOBODY && password === REFRESH,
    { realm: "/oauth2/token" },
  );
  return {
    "login.microsoftonline.com": entraSite(github, entra),
    [REGISTRY]: (request) =>
      request.url.pathname === "/oauth2/exchange" ? exchange(request, entra) : tokens(request),
  };
}

function formOf({ headers, body }: Request): URLSearchParams {
  const isForm = /^application\/x-www-form-urlencoded/.test(headers["content-type"] ?? "");
  return new URLSearchParams(isForm ? body : "");
}

function entraSite(github: Identity, entra: Identity): Site {
  return (request) => {
    if (request.method !== "POST" || request.url.pathname !== `/${TENANT}/oauth2/v2.0/token`) {
      return refusal("invalid_request", "AADSTS90002: Tenant not found.");
    }
    const form = formOf(request);
    if (form.get("grant_type") !== "client_credentials") {
      return refusal(
        "unsupported_grant_type",
        "AADSTS70003: The app requested an unsupported grant.",
      );
    }
    if (form.get("client_id") !== CLIENT) {
      return refusal("unauthorized_client", "AADSTS700016: Application was not found.");
    }
    if (form.get("scope") !== "https://containerregistry.azure.net/.default") {
      return refusal("invalid_scope", "AADSTS70011: The scope is not valid.");
    }
    const problem = form.has("client_secret") ? ofSecret(form) : ofAssertion(form, github);
    if (problem !== undefined) return problem;
    const token = entra.issue("https://containerregistry.azure.net", CLIENT);
    return { status: 200, body: { token_type: "Bearer", expires_in: 3_599, access_token: token } };
  };
}

function ofSecret(form: URLSearchParams): Answer | undefined {
  if (form.get("client_secret") === SECRET) return undefined;
  return refusal("invalid_client", "AADSTS7000215: Invalid client secret provided.");
}

function ofAssertion(form: URLSearchParams, github: Identity): Answer | undefined {
  const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
  if (form.get("client_assertion_type") !== type) {
    return refusal("invalid_request", "AADSTS900144: client_assertion_type is missing.");
  }
  const claims = github.claimsOf(form.get("client_assertion") ?? "");
  if (claims?.aud !== "api://AzureADTokenExchange") {
    return refusal("invalid_client", "AADSTS700212: No matching federated identity (audience).");
  }
  if (claims.sub === SUBJECT) return undefined;
  return refusal("invalid_client", "AADSTS700213: No matching federated identity record found.");
}

function refusal(error: string, description: string): Answer {
  return { status: 400, body: { error, error_description: `${description}\r\nTrace ID: 1` } };
}

function exchange(request: Request, entra: Identity): Answer {
  const form = formOf(request);
  const good =
    request.method === "POST" &&
    form.get("grant_type") === "access_token" &&
    form.get("service") === REGISTRY &&
    entra.claimsOf(form.get("access_token") ?? "")?.aud === "https://containerregistry.azure.net";
  if (good) return { status: 200, body: { refresh_token: REFRESH } };
  const errors = [{ code: "UNAUTHORIZED", message: "authentication required" }];
  return { status: 401, body: { errors } };
}
