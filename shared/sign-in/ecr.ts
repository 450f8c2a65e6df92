import { UserError } from "../failure/index.ts";
import { type ApiAnswer, jsonIn, wordsOf } from "../web-api/index.ts";
import { findAwsKeys } from "./aws-keys.ts";
import { type AwsKeys, signatureHeaders } from "./aws-signature.ts";
import { awsEndpoint } from "./aws-tokens.ts";
import type { EcrRegistry } from "./cloud.ts";
import type { CloudAccount, Means, NoAccount } from "./settings.ts";

/**
 * Signs in to Amazon's registries. Source: Amazon ECR, GetAuthorizationToken.
 *
 * @throws {UserError} when AWS refuses, or a role was given that cannot be taken on.
 */
export async function signInToEcr(
  registry: EcrRegistry,
  means: Means,
): Promise<CloudAccount | NoAccount> {
  const found = await findAwsKeys(registry, means);
  if (!("keys" in found)) return found;
  const answer = await askEcr("GetAuthorizationToken", {}, registry, found.keys, means);
  const data = jsonIn(answer).authorizationData as Authorization | readonly Authorization[];
  const token = (Array.isArray(data) ? data[0] : data)?.authorizationToken;
  const pair = typeof token === "string" ? Buffer.from(token, "base64").toString() : "";
  const colon = pair.indexOf(":");
  if (answer.status !== 200 || colon < 1) throw refusal(registry, found.by, answer);
  return { username: pair.slice(0, colon), password: pair.slice(colon + 1), by: found.by };
}

interface Authorization {
  readonly authorizationToken?: unknown;
}

/** Asks the registry's own API, which speaks JSON. */
export async function askEcr(
  action: string,
  input: object,
  registry: EcrRegistry,
  keys: AwsKeys,
  { api, world, settings }: Means,
): Promise<ApiAnswer> {
  const { api: own, isPublic, region } = registry;
  const url = awsEndpoint(isPublic ? "ECR_PUBLIC" : "ECR", `${own}/`, { api, world, settings });
  const target = isPublic ? "SpencerFrontendService" : "AmazonEC2ContainerRegistry_V20150921";
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": `${target}.${action}`,
  };
  const body = JSON.stringify(input);
  const service = isPublic ? "ecr-public" : "ecr";
  const now = world.clock.now();
  const signature = signatureHeaders(
    { url, method: "POST", headers, body, region, service, now },
    keys,
  );
  return api.ask({
    method: "POST",
    url,
    headers: { ...headers, ...signature },
    body,
    signal: world.signal,
    service: "Amazon ECR",
  });
}

function refusal({ isPublic }: EcrRegistry, by: string, answer: ApiAnswer): UserError {
  const words = wordsOf(answer);
  const rights = isPublic
    ? "ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken"
    : "ecr:GetAuthorizationToken";
  const wrongKeys = /UnrecognizedClient|InvalidSignature|InvalidClientTokenId|Expired/i.test(words);
  return new UserError({
    title: "Amazon ECR gives no token",
    cause: `Asked with ${by}, it answered ${answer.status}: ${words || "no words"}.`,
    remedy: wrongKeys
      ? "Check the keys: they may be revoked, expired, or of a session whose AWS_SESSION_TOKEN is missing."
      : `Grant ${rights} on all resources.`,
  });
}
