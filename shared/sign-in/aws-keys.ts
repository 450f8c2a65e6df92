import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "../failure/index.ts";
import { jsonIn } from "../web-api/index.ts";
import type { AwsKeys } from "./aws-signature.ts";
import { assumeRole, assumeRoleWithWebIdentity } from "./aws-tokens.ts";
import type { AwsSite } from "./cloud.ts";
import { hasIdToken, idToken } from "./id-token.ts";
import { readNamed } from "./named-file.ts";
import type { Means, NoAccount } from "./settings.ts";

export interface FoundKeys {
  readonly keys: AwsKeys;
  /** Completes "signed in by ...". */
  readonly by: string;
}

/**
 * The keys for AWS: of the role that was given, by the job's identity or else by the keys that the
 * machine has; without a role these keys themselves. The machine is looked at in the order of AWS's
 * own tools: variables, a web identity's file, shared files, the container, the instance.
 *
 * @throws {UserError} when a role was given and cannot be taken on, or a source that is named fails.
 */
export async function findAwsKeys(site: AwsSite, means: Means): Promise<FoundKeys | NoAccount> {
  const role = means.settings.awsRole;
  if (role === undefined) return ambientKeys(site, means);
  if (hasIdToken(means.world.environment)) {
    const token = await idToken(site.audience, `The role ${role}`, means);
    const keys = await assumeRoleWithWebIdentity(role, token, site, means);
    return { keys, by: `the role ${role}, by the job's identity` };
  }
  const found = await ambientKeys(site, means);
  // Says which permission is missing.
  if (!("keys" in found)) {
    await idToken(site.audience, `The role ${role}`, means);
    return found;
  }
  const keys = await assumeRole(role, found.keys, site, means);
  return { keys, by: `the role ${role}, by ${found.by}` };
}

type Source = (site: AwsSite, means: Means) => Promise<FoundKeys | undefined>;

async function ambientKeys(site: AwsSite, means: Means): Promise<FoundKeys | NoAccount> {
  const sources: readonly Source[] = [ofVariables, ofWebIdentity, ofFiles, ofContainer, ofInstance];
  for (const source of sources) {
    const found = await source(site, means);
    if (found === undefined) continue;
    means.world.secrets.add(found.keys.secretAccessKey);
    if (found.keys.sessionToken !== undefined) means.world.secrets.add(found.keys.sessionToken);
    return found;
  }
  return {
    looked:
      "no AWS credentials were found: neither aws-role was given nor AWS_ACCESS_KEY_ID is set, and neither ~/.aws/credentials nor the machine has any",
  };
}

async function ofVariables(_: AwsSite, { world }: Means): Promise<FoundKeys | undefined> {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = world.environment;
  if (!id || !secret) return undefined;
  const sessionToken = world.environment.AWS_SESSION_TOKEN || undefined;
  const keys = { accessKeyId: id, secretAccessKey: secret, sessionToken };
  return { keys, by: "the keys in AWS_ACCESS_KEY_ID" };
}

/** Of a pod with an IAM role for its service account. */
async function ofWebIdentity(site: AwsSite, means: Means): Promise<FoundKeys | undefined> {
  const { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: file } = means.world.environment;
  if (!role || !file) return undefined;
  const token = (await readNamed(file, "AWS_WEB_IDENTITY_TOKEN_FILE")).trim();
  means.world.secrets.add(token);
  const keys = await assumeRoleWithWebIdentity(role, token, site, means);
  return { keys, by: `the role ${role}, by AWS_WEB_IDENTITY_TOKEN_FILE` };
}

/** Keys written down in a file; roles and single sign-on of profiles need AWS's own tools. */
async function ofFiles(_: AwsSite, { world }: Means): Promise<FoundKeys | undefined> {
  const { environment } = world;
  const file =
    environment.AWS_SHARED_CREDENTIALS_FILE ||
    join(environment.HOME || homedir(), ".aws", "credentials");
  const profile = environment.AWS_PROFILE || environment.AWS_DEFAULT_PROFILE || "default";
  const text = await readFile(file, "utf8").catch(() => "");
  const { aws_access_key_id: id, aws_secret_access_key: secret, ...rest } = section(text, profile);
  if (!id || !secret) return undefined;
  const sessionToken = rest.aws_session_token || undefined;
  const keys = { accessKeyId: id, secretAccessKey: secret, sessionToken };
  return { keys, by: `the profile ${profile} of ${file}` };
}

/** The settings of one section of an INI file. Exported for its tests. */
export function section(text: string, name: string): Readonly<Record<string, string>> {
  const settings: Record<string, string> = {};
  let current = "";
  for (const line of text.split(/\r?\n/)) {
    const heading = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line)?.[1];
    if (heading !== undefined) current = heading;
    const [, key, value] = /^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (current === name && key !== undefined) settings[key] = value ?? "";
  }
  return settings;
}

const CONTAINER_HOST = "http://169.254.170.2";

/** Of a task of ECS, or of a pod with a pod identity of EKS. */
async function ofContainer(_: AwsSite, means: Means): Promise<FoundKeys | undefined> {
  const { environment, signal } = means.world;
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative } = environment;
  const address = relative
    ? `${CONTAINER_HOST}${relative}`
    : environment.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (!address) return undefined;
  const file = environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  const authorization = file
    ? (await readNamed(file, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")).trim()
    : environment.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  if (authorization) means.world.secrets.add(authorization);
  const answer = await means.api.ask({
    method: "GET",
    url: new URL(address),
    headers: authorization ? { authorization } : {},
    signal,
    service: "The container's source of AWS credentials",
  });
  const keys = keysIn(jsonIn(answer));
  return keys && { keys, by: "the container's AWS credentials" };
}

/** Of an instance's profile, by the second version of its metadata service. */
async function ofInstance(site: AwsSite, { api, world }: Means): Promise<FoundKeys | undefined> {
  const { environment, signal } = world;
  // What is public is had without: nobody is to wait for a machine that may be none of AWS's.
  if (site.isPublic) return undefined;
  if (/^true$/i.test(environment.AWS_EC2_METADATA_DISABLED ?? "")) return undefined;
  const base = environment.AWS_EC2_METADATA_SERVICE_ENDPOINT || "http://169.254.169.254";
  const ask = async (method: "GET" | "PUT", path: string, headers: Record<string, string>) => {
    const url = new URL(path, base);
    const settings = { service: "The instance's metadata", silence: 1_000, near: true };
    const answer = await api.ask({ method, url, headers, signal, ...settings });
    return answer.status === 200 ? answer : undefined;
  };
  try {
    const lifetime = { "x-aws-ec2-metadata-token-ttl-seconds": "300" };
    const token = (await ask("PUT", "/latest/api/token", lifetime))?.text;
    if (!token) return undefined;
    const headers = { "x-aws-ec2-metadata-token": token };
    const folder = "/latest/meta-data/iam/security-credentials/";
    const role = (await ask("GET", folder, headers))?.text.split("\n")[0]?.trim();
    if (!role) return undefined;
    const answer = await ask("GET", `${folder}${role}`, headers);
    const keys = answer && keysIn(jsonIn(answer));
    return keys && { keys, by: `the instance's role ${role}` };
  } catch (error) {
    signal.throwIfAborted();
    // Nobody answers: this is no instance of AWS.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function keysIn(answer: Readonly<Record<string, unknown>>): AwsKeys | undefined {
  const { AccessKeyId: id, SecretAccessKey: secret, Token: token } = answer;
  if (typeof id !== "string" || typeof secret !== "string") return undefined;
  const sessionToken = typeof token === "string" ? token : undefined;
  return { accessKeyId: id, secretAccessKey: secret, sessionToken };
}
