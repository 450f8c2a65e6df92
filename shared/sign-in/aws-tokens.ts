import { UserError } from "../failure/index.ts";
import { type ApiAnswer, wordsOf } from "../web-api/index.ts";
import { type AwsKeys, signatureHeaders } from "./aws-signature.ts";
import type { AwsSite } from "./cloud.ts";
import type { Means } from "./settings.ts";

/**
 * Takes on a role by a token of an identity that the account trusts. Not signed: the token is the
 * proof. Source: AWS STS, AssumeRoleWithWebIdentity.
 *
 * @throws {UserError} when the role does not trust the identity.
 */
export async function assumeRoleWithWebIdentity(
  role: string,
  token: string,
  site: AwsSite,
  means: Means,
): Promise<AwsKeys> {
  const form = {
    Action: "AssumeRoleWithWebIdentity",
    RoleSessionName: sessionName(means),
    WebIdentityToken: token,
  };
  return keysOf(role, await ask({ ...form, RoleArn: role }, site, means), means);
}

/**
 * Takes on a role by the keys of another identity. Source: AWS STS, AssumeRole.
 *
 * @throws {UserError} when the role does not trust that identity.
 */
export async function assumeRole(
  role: string,
  keys: AwsKeys,
  site: AwsSite,
  means: Means,
): Promise<AwsKeys> {
  const form = { Action: "AssumeRole", RoleArn: role, RoleSessionName: sessionName(means) };
  return keysOf(role, await ask(form, site, means, keys), means);
}

/** Where a service of AWS is asked: its own address, unless one of the usual variables says other. */
export function awsEndpoint(
  service: "STS" | "ECR" | "ECR_PUBLIC",
  own: string,
  { world: { environment } }: Means,
): URL {
  const given = environment[`AWS_ENDPOINT_URL_${service}`] || environment.AWS_ENDPOINT_URL;
  if (!given || environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === "true") return new URL(own);
  if (URL.canParse(given)) return new URL(given);
  throw new UserError({
    title: "An address of AWS is wrong",
    cause: `AWS_ENDPOINT_URL_${service} or AWS_ENDPOINT_URL is ${JSON.stringify(given)}, which is no URL.`,
    remedy: "Correct the variable, or leave it out to ask AWS itself.",
  });
}

function sessionName({ world: { environment } }: Means): string {
  const { GITHUB_RUN_ID: run = "" } = environment;
  return ["seaworthy", run]
    .filter(Boolean)
    .join("-")
    .replace(/[^\w+=,.@-]/g, "-")
    .slice(0, 64);
}

function ask(
  form: Readonly<Record<string, string>>,
  site: AwsSite,
  means: Means,
  keys?: AwsKeys,
): Promise<ApiAnswer> {
  const url = awsEndpoint("STS", `${site.tokens}/`, means);
  const body = new URLSearchParams({ ...form, Version: "2011-06-15" }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  const { clock, signal } = means.world;
  const request = { method: "POST" as const, url, body, signal, service: "AWS's token service" };
  if (keys === undefined) return means.api.ask({ ...request, headers });
  const { region } = site;
  const signature = signatureHeaders(
    { ...request, headers, region, service: "sts", now: clock.now() },
    keys,
  );
  return means.api.ask({ ...request, headers: { ...headers, ...signature } });
}

function keysOf(role: string, answer: ApiAnswer, { world }: Means): AwsKeys {
  const element = (name: string) =>
    new RegExp(`<${name}>\\s*([^<]+?)\\s*</${name}>`).exec(answer.text)?.[1];
  const accessKeyId = element("AccessKeyId");
  const secretAccessKey = element("SecretAccessKey");
  const sessionToken = element("SessionToken");
  if (answer.status !== 200 || !accessKeyId || !secretAccessKey) throw refusal(role, answer);
  world.secrets.add(secretAccessKey);
  if (sessionToken !== undefined) world.secrets.add(sessionToken);
  return { accessKeyId, secretAccessKey, sessionToken };
}

function refusal(role: string, answer: ApiAnswer): UserError {
  const words = wordsOf(answer);
  return new UserError({
    title: "AWS does not let the job take on the role",
    cause: `${role}: AWS's token service answered ${answer.status}: ${words || "no words"}.`,
    remedy: remedyFor(words),
  });
}

function remedyFor(words: string): string {
  if (/No OpenIDConnect provider/i.test(words)) {
    return "Add token.actions.githubusercontent.com as an identity provider (OpenID Connect) to the role's account, with the audience sts.amazonaws.com.";
  }
  if (/ExpiredToken|expired/i.test(words)) return "Run again: the token was too old.";
  return "Check the role's name, and that its trust policy allows sts:AssumeRoleWithWebIdentity (with keys: sts:AssumeRole) to this repository: condition `token.actions.githubusercontent.com:sub` as `repo:OWNER/NAME:*`, and `:aud` as sts.amazonaws.com.";
}
