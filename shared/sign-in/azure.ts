import { UserError } from "../failure/index.ts";
import { type ApiAnswer, jsonIn, wordsOf } from "../web-api/index.ts";
import { hasIdToken, idToken } from "./id-token.ts";
import { readNamed } from "./named-file.ts";
import type { CloudAccount, Means, NoAccount } from "./settings.ts";

/** The same in all clouds of Azure. */
const AUDIENCE = "https://containerregistry.azure.net";
/** What Azure expects of the identity tokens that it exchanges. */
const FEDERATION = "api://AzureADTokenExchange";
/** The name that goes with a refresh token, which says itself whose it is. */
const NOBODY = "00000000-0000-0000-0000-000000000000";
const ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/**
 * Signs in to Azure's registries: a token of Entra ID, by the job's identity, a client's secret, a
 * pod's workload identity or the machine's managed identity, exchanged for one of the registry.
 *
 * @throws {UserError} when Azure refuses.
 */
export async function signInToAzure(
  host: string,
  authority: string,
  means: Means,
): Promise<CloudAccount | NoAccount> {
  const found = (await ofApplication(authority, means)) ?? (await ofMachine(means));
  if (found === undefined) {
    return {
      looked:
        "no Azure credentials were found: neither azure-client-id and azure-tenant-id were given nor AZURE_CLIENT_ID is set, and the machine has no managed identity",
    };
  }
  means.world.secrets.add(found.token);
  const password = await refreshTokenFor(host, found, means);
  means.world.secrets.add(password);
  return { username: NOBODY, password, by: found.by };
}

interface Found {
  readonly token: string;
  readonly tenant: string | undefined;
  readonly by: string;
}

async function ofApplication(authority: string, means: Means): Promise<Found | undefined> {
  const { environment, secrets } = means.world;
  const client = means.settings.azureClientId ?? (environment.AZURE_CLIENT_ID || undefined);
  const tenant = means.settings.azureTenantId ?? (environment.AZURE_TENANT_ID || undefined);
  if (client === undefined || tenant === undefined) {
    if (means.settings.azureClientId === undefined) return undefined;
    throw incomplete();
  }
  const { AZURE_CLIENT_SECRET: secret, AZURE_FEDERATED_TOKEN_FILE: file } = environment;
  if (means.settings.azureClientId === undefined && secret) {
    secrets.add(secret);
    const token = await tokenOf(authority, tenant, client, { client_secret: secret }, means);
    return { token, tenant, by: `the application ${client}, by its secret` };
  }
  if (file && !hasIdToken(environment)) {
    const assertion = (await readNamed(file, "AZURE_FEDERATED_TOKEN_FILE")).trim();
    secrets.add(assertion);
    const proof = { client_assertion_type: ASSERTION, client_assertion: assertion };
    const token = await tokenOf(authority, tenant, client, proof, means);
    return { token, tenant, by: `the application ${client}, by the pod's identity` };
  }
  const assertion = await idToken(FEDERATION, `The application ${client}`, means);
  const proof = { client_assertion_type: ASSERTION, client_assertion: assertion };
  const token = await tokenOf(authority, tenant, client, proof, means);
  return { token, tenant, by: `the application ${client}, by the job's identity` };
}

function incomplete(): UserError {
  return new UserError({
    title: "One input is missing",
    cause: "azure-client-id is given, and neither azure-tenant-id nor AZURE_TENANT_ID.",
    remedy: "Give both: the application's client id, and the directory's tenant id.",
  });
}

/** Source: Microsoft identity platform, "OAuth 2.0 client credentials flow". */
async function tokenOf(
  authority: string,
  tenant: string,
  client: string,
  proof: Readonly<Record<string, string>>,
  { api, world }: Means,
): Promise<string> {
  const base = (world.environment.AZURE_AUTHORITY_HOST || authority).replace(/\/+$/, "");
  const url = new URL(`${base}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`);
  const form = {
    client_id: client,
    scope: `${AUDIENCE}/.default`,
    grant_type: "client_credentials",
    ...proof,
  };
  const answer = await api.ask({
    ...formRequest(url, form),
    signal: world.signal,
    service: "Microsoft Entra ID",
  });
  const token = jsonIn(answer).access_token;
  if (answer.status === 200 && typeof token === "string" && token !== "") return token;
  throw refusedByEntra(client, answer);
}

function refusedByEntra(client: string, answer: ApiAnswer): UserError {
  const words = wordsOf(answer);
  // AADSTS70021, 700213, 700211: no federated identity matches the token's subject or issuer.
  const unmatched = /AADSTS7002\d+/.test(words);
  return new UserError({
    title: "Microsoft Entra ID does not accept the application",
    cause: `${client}: it answered ${answer.status}: ${words || "no words"}.`,
    remedy: unmatched
      ? "Add a federated credential to the application whose issuer is https://token.actions.githubusercontent.com and whose subject is exactly that of this job, such as `repo:OWNER/NAME:environment:production`."
      : "Check client id and tenant id, and that the application has a service principal in that tenant.",
  });
}

/** Source: Azure Container Registry, AAD-OAuth, "POST /oauth2/exchange". */
async function refreshTokenFor(
  host: string,
  { token, tenant, by }: Found,
  { api, world }: Means,
): Promise<string> {
  const form = {
    grant_type: "access_token",
    service: host,
    access_token: token,
    ...(tenant === undefined ? {} : { tenant }),
  };
  const url = new URL(`https://${host}/oauth2/exchange`);
  const answer = await api.ask({ ...formRequest(url, form), signal: world.signal, service: host });
  const refresh = jsonIn(answer).refresh_token;
  if (answer.status === 200 && typeof refresh === "string" && refresh !== "") return refresh;
  throw new UserError({
    title: `The registry ${host} does not accept the identity`,
    cause: `Asked with ${by}, it answered ${answer.status}: ${wordsOf(answer) || "no words"}.`,
    remedy:
      "Grant the identity the role AcrPush (AcrPull to read only, AcrDelete to prune) on the registry.",
  });
}

/** Of a virtual machine or a pod with a managed identity. */
async function ofMachine({ api, world, settings }: Means): Promise<Found | undefined> {
  const { environment, signal } = world;
  const base = environment.AZURE_POD_IDENTITY_AUTHORITY_HOST || "http://169.254.169.254";
  const url = new URL("/metadata/identity/oauth2/token", base);
  url.searchParams.set("api-version", "2018-02-01");
  url.searchParams.set("resource", AUDIENCE);
  const client = settings.azureClientId ?? environment.AZURE_CLIENT_ID;
  if (client) url.searchParams.set("client_id", client);
  try {
    const answer = await api.ask({
      method: "GET",
      url,
      headers: { metadata: "true" },
      signal,
      ...{ service: "The machine's metadata", silence: 1_000, near: true },
    });
    const token = jsonIn(answer).access_token;
    const found = answer.status === 200 && typeof token === "string" && token !== "";
    return found ? { token, tenant: undefined, by: "the machine's managed identity" } : undefined;
  } catch (error) {
    signal.throwIfAborted();
    // Nobody answers: this is no machine of Azure's.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function formRequest(url: URL, form: Readonly<Record<string, string>>) {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST" as const, url, headers, body: new URLSearchParams(form).toString() };
}
