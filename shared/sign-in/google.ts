import { createSign } from "node:crypto";
import { describe, UserError } from "../failure/index.ts";
import { type ApiAnswer, jsonIn, wordsOf } from "../web-api/index.ts";
import { idToken } from "./id-token.ts";
import { readNamed } from "./named-file.ts";
import type { CloudAccount, Means, NoAccount } from "./settings.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const SERVICE = "Google's token service";

/**
 * Signs in to Google's registries by an access token: of the job's identity, where a workload
 * identity provider is given; else of the credentials file that the usual variables name, or of the
 * machine.
 *
 * @throws {UserError} when Google refuses, or what is named cannot be used.
 */
export async function signInToGoogle(means: Means): Promise<CloudAccount | NoAccount> {
  const found = (await ofProvider(means)) ?? (await ofFile(means)) ?? (await ofMachine(means));
  if (found === undefined) {
    return {
      looked:
        "no Google credentials were found: neither google-workload-identity-provider was given nor GOOGLE_APPLICATION_CREDENTIALS is set, and the machine has none",
    };
  }
  means.world.secrets.add(found.token);
  return { username: "oauth2accesstoken", password: found.token, by: found.by };
}

interface Found {
  readonly token: string;
  readonly by: string;
}

async function ofProvider(means: Means): Promise<Found | undefined> {
  const given = means.settings.googleWorkloadIdentityProvider;
  if (given === undefined) return undefined;
  const provider = given.replace(/^(https:)?\/\/iam\.googleapis\.com\//, "");
  const audience = `//iam.googleapis.com/${provider}`;
  const why = `The workload identity provider ${provider.split("/").at(-1)}`;
  const subject = await idToken(`https:${audience}`, why, means);
  const federated = await exchange(
    { audience, subject, type: "urn:ietf:params:oauth:token-type:jwt" },
    means,
  );
  const account = means.settings.googleServiceAccount;
  const by = "the job's identity";
  if (account === undefined) return { token: federated, by };
  return { token: await actAs(account, federated, means), by: `${account}, by ${by}` };
}

/**
 * Source: Google Cloud IAM, "Security Token Service API", v1 token. It must not be sent an
 * Authorization header.
 */
async function exchange(
  { audience, subject, type }: { audience: string; subject: string; type: string },
  means: Means,
  address?: string,
): Promise<string> {
  const base = endpoint("STS", "https://sts.googleapis.com", means);
  const url = address === undefined ? new URL("v1/token", base) : new URL(address);
  const body = {
    grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience,
    scope: SCOPE,
    requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
    subjectToken: subject,
    subjectTokenType: type,
  };
  const answer = await post(url, body, {}, means);
  return tokenOf(answer, "access_token", "Google does not accept the job's identity", means, {
    remedy:
      "Check the provider's full name, `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`, that its issuer is https://token.actions.githubusercontent.com, and that its attribute condition lets this repository in.",
  });
}

/** Source: Google Cloud IAM, "Service Account Credentials API", generateAccessToken. */
async function actAs(
  account: string,
  token: string,
  means: Means,
  address?: string,
): Promise<string> {
  means.world.secrets.add(token);
  const base = endpoint("IAMCREDENTIALS", "https://iamcredentials.googleapis.com", means);
  const path = `v1/projects/-/serviceAccounts/${encodeURIComponent(account)}:generateAccessToken`;
  const url = address === undefined ? new URL(path, base) : new URL(address);
  const headers = { authorization: `Bearer ${token}` };
  const answer = await post(url, { scope: [SCOPE], lifetime: "3600s" }, headers, means);
  return tokenOf(answer, "accessToken", `Google does not let the job act as ${account}`, means, {
    remedy: `Grant the identity the role roles/iam.workloadIdentityUser on ${account} (and roles/iam.serviceAccountTokenCreator where it is a service account itself), and enable the API iamcredentials.googleapis.com.`,
  });
}

/** A file of credentials, such as a service account's key or what google-github-actions/auth wrote. */
async function ofFile(means: Means): Promise<Found | undefined> {
  const { environment, secrets } = means.world;
  const variables = [
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    "GOOGLE_GHA_CREDS_PATH",
  ];
  const variable = variables.find((name) => environment[name]);
  if (variable === undefined) return undefined;
  const text = await readNamed(environment[variable] ?? "", variable);
  const file = parsed(text, variable);
  for (const name of ["private_key", "client_secret", "refresh_token"]) {
    const value = file[name];
    if (typeof value === "string") secrets.add(value);
  }
  if (file.type === "service_account") return ofKey(file, means);
  if (file.type === "external_account") return ofExternal(file, means);
  if (file.type === "authorized_user") return ofUser(file, means);
  throw new UserError({
    title: "These Google credentials cannot be used",
    cause: `${variable} names credentials of the type ${JSON.stringify(file.type ?? "none")}.`,
    remedy:
      "Known are service_account, external_account and authorized_user; or give google-workload-identity-provider.",
  });
}

type File = Readonly<Record<string, unknown>>;

function parsed(text: string, variable: string): File {
  const file = jsonIn({ text });
  if (Object.keys(file).length > 0) return file;
  throw new UserError({
    title: "These Google credentials cannot be read",
    cause: `The file that ${variable} names is no JSON object.`,
    remedy: "Check that the whole file arrived.",
  });
}

/** By a signed assertion. Source: RFC 7523, 2.1; Google, "OAuth 2.0 for service accounts". */
async function ofKey(file: File, means: Means): Promise<Found> {
  const { client_email: email, private_key: key, private_key_id: id } = file;
  const url = String(file.token_uri ?? "https://oauth2.googleapis.com/token");
  const issued = Math.floor(means.world.clock.now() / 1_000);
  const claims = { iss: email, scope: SCOPE, aud: url, iat: issued, exp: issued + 3_600 };
  const head = { alg: "RS256", typ: "JWT", ...(typeof id === "string" ? { kid: id } : {}) };
  const text = [head, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const assertion = `${text}.${sign(text, String(key))}`;
  const grant = { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion };
  const answer = await postForm(new URL(url), grant, means);
  const token = tokenOf(answer, "access_token", "Google does not accept the key", means, {
    remedy: `Check that the key of ${email} is not deleted or disabled, and that the runner's clock is right.`,
  });
  return { token, by: `the key of ${email}` };
}

function sign(text: string, key: string): string {
  try {
    return createSign("RSA-SHA256").update(text).sign(key, "base64url");
  } catch (error) {
    throw new UserError(
      {
        title: "The key of the Google service account cannot be used",
        cause: `Its private_key is no RSA key: ${describe(error)}.`,
        remedy: "Give the JSON file as Google made it; its line breaks are written as \\n.",
      },
      { reason: error },
    );
  }
}

/** What google-github-actions/auth writes: where the subject's token is to be had. */
async function ofExternal(file: File, means: Means): Promise<Found> {
  const subject = await subjectOf((file.credential_source ?? {}) as File, means);
  const token = await exchange(
    {
      audience: String(file.audience),
      subject,
      type: String(file.subject_token_type ?? "urn:ietf:params:oauth:token-type:jwt"),
    },
    means,
    typeof file.token_url === "string" ? file.token_url : undefined,
  );
  const impersonation = file.service_account_impersonation_url;
  const by = "a federated identity";
  if (typeof impersonation !== "string") return { token, by };
  const account = /serviceAccounts\/([^:/]+)/.exec(impersonation)?.[1] ?? "the service account";
  const name = decodeURIComponent(account);
  return { token: await actAs(name, token, means, impersonation), by: `${name}, by ${by}` };
}

async function subjectOf(source: File, means: Means): Promise<string> {
  const { url, file, headers, format } = source as {
    url?: string;
    file?: string;
    headers?: Record<string, string>;
    format?: { type?: string; subject_token_field_name?: string };
  };
  const text =
    file !== undefined
      ? await readNamed(file, "credential_source.file")
      : url !== undefined
        ? (await get(new URL(url), headers ?? {}, means)).text
        : "";
  const field = format?.subject_token_field_name ?? "value";
  const token = format?.type === "json" ? jsonIn({ text })[field] : text.trim();
  if (typeof token === "string" && token !== "") {
    means.world.secrets.add(token);
    return token;
  }
  throw new UserError({
    title: "The federated identity gives no token",
    cause: "What credential_source of the Google credentials names holds none.",
    remedy: "Give the job `permissions: id-token: write`, and sign in to Google in the same job.",
  });
}

async function ofUser(file: File, means: Means): Promise<Found> {
  const grant = {
    grant_type: "refresh_token",
    client_id: String(file.client_id),
    client_secret: String(file.client_secret),
    refresh_token: String(file.refresh_token),
  };
  const url = new URL(String(file.token_uri ?? "https://oauth2.googleapis.com/token"));
  const answer = await postForm(url, grant, means);
  const token = tokenOf(answer, "access_token", "Google does not accept the user", means, {
    remedy: "Log in again with `gcloud auth application-default login`.",
  });
  return { token, by: "a user's credentials" };
}

/** Of the machine's service account: an instance of Google's, or a pod with a workload identity. */
async function ofMachine({ api, world }: Means): Promise<Found | undefined> {
  const host = world.environment.GCE_METADATA_HOST || "metadata.google.internal";
  const path = "/computeMetadata/v1/instance/service-accounts/default/token";
  try {
    const answer = await api.ask({
      method: "GET",
      url: new URL(`http://${host}${path}`),
      headers: { "metadata-flavor": "Google" },
      signal: world.signal,
      ...{ service: "The machine's metadata", silence: 1_000, near: true },
    });
    const token = jsonIn(answer).access_token;
    const found = answer.status === 200 && typeof token === "string" && token !== "";
    return found ? { token, by: "the machine's service account" } : undefined;
  } catch (error) {
    world.signal.throwIfAborted();
    // Nobody answers: this is no machine of Google's.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function endpoint(name: "STS" | "IAMCREDENTIALS", own: string, { world }: Means): URL {
  const given = world.environment[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`];
  return new URL(given && URL.canParse(given) ? given : own);
}

function post(url: URL, body: object, headers: Record<string, string>, { api, world }: Means) {
  const { signal } = world;
  const all = { "content-type": "application/json", accept: "application/json", ...headers };
  const text = JSON.stringify(body);
  return api.ask({ method: "POST", url, headers: all, body: text, signal, service: SERVICE });
}

function postForm(url: URL, form: Record<string, string>, { api, world }: Means) {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const body = new URLSearchParams(form).toString();
  const { signal } = world;
  return api.ask({ method: "POST", url, headers, body, signal, service: SERVICE });
}

function get(url: URL, headers: Record<string, string>, { api, world: { signal } }: Means) {
  return api.ask({ method: "GET", url, headers, signal, service: "The source of the identity" });
}

function tokenOf(
  answer: ApiAnswer,
  field: string,
  title: string,
  { world }: Means,
  { remedy }: { readonly remedy: string },
): string {
  const token = jsonIn(answer)[field];
  if (answer.status === 200 && typeof token === "string" && token !== "") {
    world.secrets.add(token);
    return token;
  }
  const cause = `It answered ${answer.status}: ${wordsOf(answer) || "no words"}.`;
  throw new UserError({ title, cause, remedy });
}
