import type { Identity, Request, Site } from "../../internet/index.ts";
import { pairOf } from "./github-sites.ts";
import type { Moto } from "./moto.ts";

export const ROLE = "arn:aws:iam::123456789012:role/pusher";
export const REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
export const PUBLIC = "public.ecr.aws";

const STS = "sts.eu-west-1.amazonaws.com";
const ECR = "api.ecr.eu-west-1.amazonaws.com";

/** AWS's token service and API by moto, with what it does not look at looked at before. */
export function awsSites(github: Identity, moto: Moto): Readonly<Record<string, Site>> {
  return {
    [STS]: (request) => identified(request, github) ?? moto.origin,
    [ECR]: (request) => signed(request, "ecr") ?? moto.origin,
    // Moto has no public registry's tokens.
    "api.ecr-public.us-east-1.amazonaws.com": (request) => {
      const refused = signed(request, "ecr-public", "us-east-1");
      if (refused !== undefined) return refused;
      if (request.headers["x-amz-target"] !== "SpencerFrontendService.GetAuthorizationToken") {
        return { status: 400, body: { __type: "UnknownOperationException" } };
      }
      const authorizationToken = Buffer.from("AWS:public-token-1").toString("base64");
      return { status: 200, body: { authorizationData: { authorizationToken, expiresAt: 1.7e9 } } };
    },
    [REGISTRY]: registry,
    [PUBLIC]: registry,
  };
}

/** Amazon's registry asks for the pair itself, at every request. */
const registry: Site = ({ headers }) => {
  const [username, password] = pairOf(headers.authorization ?? "");
  if (username === "AWS" && password.length > 8) return { status: 200, body: {} };
  const challenge = `Basic realm="https://${REGISTRY}/",service="ecr.amazonaws.com"`;
  return { status: 401, headers: { "www-authenticate": challenge } };
};

function identified({ headers, body }: Request, github: Identity) {
  const form = new URLSearchParams(body);
  if (form.get("Action") === "AssumeRole") return signed({ headers } as Request, "sts");
  const claims = github.claimsOf(form.get("WebIdentityToken") ?? "");
  const problem =
    claims?.aud !== "sts.amazonaws.com"
      ? "Incorrect token audience"
      : form.get("RoleArn") !== ROLE
        ? "Not authorized to perform sts:AssumeRoleWithWebIdentity"
        : /^[\w+=,.@-]{2,64}$/.test(form.get("RoleSessionName") ?? "")
          ? undefined
          : "RoleSessionName is not valid";
  if (problem === undefined && headers.authorization === undefined) return undefined;
  const code = problem?.startsWith("Not") ? "AccessDenied" : "InvalidIdentityToken";
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${problem}</Message></Error>`;
  return { status: 403, body: `<ErrorResponse>${error}</ErrorResponse>` };
}

function signed({ headers }: Pick<Request, "headers">, service: string, region = "eu-west-1") {
  const form = `^AWS4-HMAC-SHA256 Credential=[^/]+/\\d{8}/${region}/${service}/aws4_request, SignedHeaders=[a-z0-9;-]*host;x-amz-date[a-z0-9;-]*, Signature=[0-9a-f]{64}$`;
  if (new RegExp(form).test(headers.authorization ?? "")) return undefined;
  return { status: 400, body: { __type: "MissingAuthenticationTokenException" } };
}
