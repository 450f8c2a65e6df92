import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { SignedIn, SignInSettings } from "../../../shared/sign-in/index.ts";
import { runTool } from "../../contract/tool.ts";
import { Identity, Internet, type Request } from "../../internet/index.ts";
import * as aws from "./aws-sites.ts";
import * as azure from "./azure-sites.ts";
import { BEARER, mayIdentify, registrySite, TOKENS, tokenSite } from "./github-sites.ts";
import * as google from "./google-sites.ts";
import { Moto } from "./moto.ts";

interface Result {
  readonly signedIn?: SignedIn;
  readonly failure?: { readonly title: string; readonly cause: string; readonly remedy: string };
  readonly masked: readonly string[];
}

const github = new Identity("https://token.actions.githubusercontent.com");
const account = new Identity("google");
/** What would answer on a real machine of a cloud is to be silent on one that plays one. */
const nowhere = {
  AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:9",
  GCE_METADATA_HOST: "127.0.0.1:9",
  AZURE_POD_IDENTITY_AUTHORITY_HOST: "http://127.0.0.1:9",
};

let folder: string;
let moto: Moto;
let internet: Internet;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sign-in-"));
  moto = await Moto.start();
  internet = await Internet.start({
    [TOKENS]: tokenSite(github),
    "ghcr.io": registrySite("ghcr.io", (_, password) => password === "ghs_job0123456789"),
    "quay.io": registrySite("quay.io", (name, password) => `${name}:${password}` === "me:hunter22"),
    ...google.googleSites(github, account),
    ...azure.azureSites(github),
    ...aws.awsSites(github, moto),
  });
}, 180_000);

afterAll(async () => {
  await internet?.[Symbol.asyncDispose]();
  await moto?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function signInOnce(
  host: string,
  settings: SignInSettings,
  environment: Readonly<Record<string, string>> = {},
  config: object = {},
  path: string | null = "shop/web",
): Promise<Result> {
  const argument = JSON.stringify({ host, settings, config, path });
  const child = spawn(process.execPath, [join(import.meta.dirname, "once.ts"), argument], {
    env: {
      ...{ PATH: process.env.PATH, HOME: folder, GITHUB_RUN_ID: "77" },
      ...nowhere,
      ...internet.environment,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, problem] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (child.exitCode === null) await once(child, "exit");
  if (out === "") throw new Error(problem);
  return JSON.parse(out) as Result;
}

function lastTo(host: string): Request {
  const found = internet.asked.findLast((request) => request.host === host);
  if (found === undefined) throw new Error(`${host} was not asked`);
  return found;
}

describe("signing in", () => {
  it("takes the inputs first, whatever else there is", async () => {
    const auths = { "quay.io": { auth: Buffer.from("other:one").toString("base64") } };
    const inputs = { username: "me", password: "hunter22" };
    const { signedIn, masked } = await signInOnce("quay.io", inputs, {}, { auths });
    expect(signedIn?.told).toBe("quay.io: signed in as me, by the inputs");
    expect(signedIn?.login).toEqual({ host: "quay.io", ...inputs });
    expect(masked).toContain("hunter22");
  });

  it("takes docker's configuration before a cloud, and leaves it where it is", async () => {
    const auths = { "ghcr.io": { auth: Buffer.from("me:ghs_job0123456789").toString("base64") } };
    const settings = { token: "ghs_another_one_000" };
    const { signedIn } = await signInOnce("ghcr.io", settings, {}, { auths });
    expect(signedIn?.told).toBe("ghcr.io: signed in as me, by docker's configuration");
    expect(signedIn?.login).toBeUndefined();
  });

  it("takes the job's token at GitHub's registry", async () => {
    const settings = { token: "ghs_job0123456789" };
    const { signedIn, masked } = await signInOnce("ghcr.io", settings, { GITHUB_ACTOR: "ann" });
    expect(signedIn?.told).toBe("ghcr.io: signed in as ann, by the job's token");
    expect(masked).toContain("ghs_job0123456789");
  });

  it("gives the job's token to no other registry", async () => {
    const { signedIn, failure } = await signInOnce("quay.io", { token: "ghs_job0123456789" });
    expect(signedIn).toBeUndefined();
    expect(failure?.title).toBe("The registry quay.io does not accept us without credentials");
    const sent = internet.asked.filter(({ host }) => host === "quay.io").map((one) => one.headers);
    expect(JSON.stringify(sent)).not.toContain(
      Buffer.from(":ghs_job0123456789").toString("base64").slice(2, 20),
    );
  });

  it.each([{ username: "me" }, { password: "x" }])("says what is missing of %j", async (half) => {
    const { failure } = await signInOnce("quay.io", half);
    expect(failure).toMatchObject({ title: "One input is missing" });
  });

  it.each([
    ["Amazon", aws.REGISTRY, { awsRole: aws.ROLE }],
    ["Google", google.REGISTRY, { googleWorkloadIdentityProvider: google.PROVIDER }],
    ["Azure", azure.REGISTRY, { azureClientId: azure.CLIENT, azureTenantId: azure.TENANT }],
  ])("names the permission that a job lacks for %s", async (_, host, settings) => {
    const { failure } = await signInOnce(host, settings);
    expect(failure?.title).toBe("The job may not prove its identity");
    expect(failure?.remedy).toContain("`permissions: id-token: write`");
  });
});

describe("signing in where the registry may do without", () => {
  it.each<[string, string, SignInSettings, string]>([
    [
      "half a pair",
      "quay.io",
      { username: "me" },
      "docker's configuration has no credentials for it",
    ],
    ["no identity", aws.REGISTRY, { awsRole: aws.ROLE }, "this job may not have one"],
    [
      "no identity for Azure",
      azure.REGISTRY,
      { azureClientId: azure.CLIENT, azureTenantId: azure.TENANT },
      "this job may not have one",
    ],
  ])("%s is told, and no failure", async (_, host, settings, why) => {
    const { signedIn } = await signInOnce(host, { ...settings, optional: true }, {}, {}, null);
    expect(signedIn?.credentials).toBeUndefined();
    expect(signedIn?.told).toMatch(new RegExp(`^${host}: asked without credentials; .*${why}`));
  });
});

describe("signing in at Amazon's registries", () => {
  it("takes on a role by the job's identity", async () => {
    const { signedIn, masked } = await signInOnce(aws.REGISTRY, { awsRole: aws.ROLE }, mayIdentify);
    expect(signedIn?.told).toBe(
      `${aws.REGISTRY}: signed in by the role ${aws.ROLE}, by the job's identity`,
    );
    expect(signedIn?.login?.username).toBe("AWS");
    // The runner's bearer, the identity, the role's key and session, the pair.
    expect(masked).toEqual(expect.arrayContaining([BEARER, signedIn?.login?.password]));
    expect(masked.length).toBeGreaterThanOrEqual(5);
  });

  it("signs its requests as AWS's own library does", async () => {
    const keys = {
      AWS_ACCESS_KEY_ID: "AKIA0123456789ABCDEF",
      AWS_SECRET_ACCESS_KEY: "se/cr+et0123",
    };
    const session = { AWS_SESSION_TOKEN: "session+token/with=signs" };
    const { signedIn } = await signInOnce(aws.REGISTRY, {}, { ...keys, ...session });
    expect(signedIn?.told).toContain("signed in by the keys in AWS_ACCESS_KEY_ID");
    const asked = lastTo("api.ecr.eu-west-1.amazonaws.com");
    const { status, stdout, stderr } = runTool("env", [
      ...[`PYTHONPATH=${moto.folder}`, "python3", join(import.meta.dirname, "signature.py")],
      JSON.stringify({ ...asked, url: asked.url.href, ...keys, ...session, service: "ecr" }),
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(asked.headers.authorization).toContain(`Signature=${stdout.trim()}`);
  });

  it("takes on a role by keys where the job has no identity", async () => {
    const keys = { AWS_ACCESS_KEY_ID: "AKIA0123456789ABCDEF", AWS_SECRET_ACCESS_KEY: "secret0123" };
    const { signedIn } = await signInOnce(aws.REGISTRY, { awsRole: aws.ROLE }, keys);
    expect(signedIn?.told).toContain(`${aws.ROLE}, by the keys in AWS_ACCESS_KEY_ID`);
  });

  it("takes the keys of a profile, of a pod and of a container", async () => {
    const file = join(folder, "credentials");
    const profile =
      "[default]\n[ci]\naws_access_key_id = AKIAX\naws_secret_access_key = sec=ret01\n";
    await writeFile(file, profile);
    const ofProfile = await signInOnce(...([aws.REGISTRY, {}] as const), {
      AWS_SHARED_CREDENTIALS_FILE: file,
      AWS_PROFILE: "ci",
    });
    expect(ofProfile.signedIn?.told).toContain("the profile ci of");

    const token = join(folder, "token");
    await writeFile(token, github.issue("sts.amazonaws.com", "pod"));
    const pod = { AWS_ROLE_ARN: aws.ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: token };
    const ofPod = await signInOnce(aws.REGISTRY, {}, pod);
    expect(ofPod.signedIn?.told).toContain(`${aws.ROLE}, by AWS_WEB_IDENTITY_TOKEN_FILE`);
  });

  it("says why a role cannot be taken on", async () => {
    const awsRole = "arn:aws:iam::123456789012:role/other";
    const { failure, masked } = await signInOnce(aws.REGISTRY, { awsRole }, mayIdentify);
    expect(failure?.title).toBe("AWS does not let the job take on the role");
    expect(failure?.cause).toContain(`${awsRole}: AWS's token service answered 403: AccessDenied`);
    expect(failure?.remedy).toContain("trust policy");
    expect(masked).toContain(BEARER);
  });

  it("signs in at the public registry", async () => {
    const keys = { AWS_ACCESS_KEY_ID: "AKIA0123456789ABCDEF", AWS_SECRET_ACCESS_KEY: "secret0123" };
    const { signedIn } = await signInOnce(aws.PUBLIC, {}, keys);
    expect(signedIn?.login).toMatchObject({ username: "AWS", password: "public-token-1" });
  });

  it("asks without credentials where there are none, and the log says where was looked", async () => {
    const { failure } = await signInOnce(aws.REGISTRY, {});
    expect(failure?.title).toContain("does not accept us without credentials");
  });
});

describe("signing in at Google's registries", () => {
  const provider = { googleWorkloadIdentityProvider: google.PROVIDER };

  it.each([
    ["as the identity itself", provider, "by the job's identity"],
    [
      "as a service account",
      { ...provider, googleServiceAccount: google.ACCOUNT },
      `by ${google.ACCOUNT}, by the job's identity`,
    ],
  ])("%s", async (_, settings, how) => {
    const { signedIn, masked } = await signInOnce(google.REGISTRY, settings, mayIdentify);
    expect(signedIn?.told).toBe(`${google.REGISTRY}: signed in ${how}`);
    expect(masked).toContain(signedIn?.login?.password);
  });

  it("by a service account's key", async () => {
    const key = {
      ...{ type: "service_account", client_email: google.ACCOUNT, private_key_id: "k1" },
      ...{ private_key: account.privateKey, token_uri: "https://oauth2.googleapis.com/token" },
    };
    const file = join(folder, "key.json");
    await writeFile(file, JSON.stringify(key));
    const environment = { GOOGLE_APPLICATION_CREDENTIALS: file };
    const { signedIn, masked } = await signInOnce(google.REGISTRY, {}, environment);
    expect(signedIn?.told).toContain(`by the key of ${google.ACCOUNT}`);
    expect(masked.join("\n")).toContain(account.privateKey.trim());
  });

  it("by what google-github-actions/auth leaves for later steps", async () => {
    const url = `${mayIdentify.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=${encodeURIComponent(`https://iam.googleapis.com/${google.PROVIDER}`)}`;
    const left = {
      type: "external_account",
      audience: `//iam.googleapis.com/${google.PROVIDER}`,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: "https://sts.googleapis.com/v1/token",
      credential_source: {
        url,
        headers: { Authorization: `bearer ${BEARER}` },
        format: { type: "json", subject_token_field_name: "value" },
      },
      service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${google.ACCOUNT}:generateAccessToken`,
    };
    const file = join(folder, "gha-creds.json");
    await writeFile(file, JSON.stringify(left));
    const environment = { GOOGLE_APPLICATION_CREDENTIALS: file };
    const { signedIn } = await signInOnce(google.REGISTRY, {}, environment);
    expect(signedIn?.told).toContain(`by ${google.ACCOUNT}, by a federated identity`);
  });

  it("says why Google refuses", async () => {
    const googleWorkloadIdentityProvider = google.PROVIDER.replace("shop", "other");
    const settings = { googleWorkloadIdentityProvider };
    const wrong = await signInOnce(google.REGISTRY, settings, mayIdentify);
    expect(wrong.failure?.cause).toContain('invalid_request: Invalid value for "audience".');
    const stranger = { ...provider, googleServiceAccount: "who@x.iam.gserviceaccount.com" };
    const denied = await signInOnce(google.REGISTRY, stranger, mayIdentify);
    expect(denied.failure?.cause).toContain("iam.serviceAccounts.getAccessToken");
    expect(denied.failure?.remedy).toContain("roles/iam.workloadIdentityUser");
  });
});

describe("signing in at Azure's registries", () => {
  const application = { azureClientId: azure.CLIENT, azureTenantId: azure.TENANT };

  it("by the job's identity", async () => {
    const { signedIn, masked } = await signInOnce(azure.REGISTRY, application, mayIdentify);
    expect(signedIn?.told).toContain(`the application ${azure.CLIENT}, by the job's identity`);
    expect(signedIn?.login?.username).toBe("00000000-0000-0000-0000-000000000000");
    expect(masked).toContain(signedIn?.login?.password);
  });

  it("by a secret in the environment", async () => {
    const { signedIn } = await signInOnce(
      azure.REGISTRY,
      {},
      {
        ...{ AZURE_CLIENT_ID: azure.CLIENT, AZURE_TENANT_ID: azure.TENANT },
        AZURE_CLIENT_SECRET: azure.SECRET,
      },
    );
    expect(signedIn?.told).toContain("by its secret");
  });

  it("says why Entra ID refuses, in its words", async () => {
    const settings = { ...application, azureClientId: "99999999-2222-4333-8444-555555555555" };
    const { failure } = await signInOnce(azure.REGISTRY, settings, mayIdentify);
    expect(failure?.cause).toContain(
      "unauthorized_client: AADSTS700016: Application was not found.",
    );
  });
});

it("nothing else of the internet was asked", () => {
  expect(internet.strangers).toEqual([]);
});
