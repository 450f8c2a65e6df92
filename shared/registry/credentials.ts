import { UserError } from "../failure/index.ts";
import { CommandFailed, type Execution, execute } from "../process/index.ts";
import { credentialKey, type DockerConfig } from "./docker-config.ts";

/** How we prove to a registry who we are. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** To be exchanged for an access token. */
  | { readonly kind: "identity-token"; readonly token: string }
  /** Sent as it is. */
  | { readonly kind: "registry-token"; readonly token: string };

/**
 * The credentials that docker would use for a registry, from its configuration or from the
 * credential helper that it names; undefined when there are none. They are hidden from then on.
 *
 * @throws {UserError} when the helper is missing or fails.
 */
export async function credentialsFor(
  host: string,
  config: DockerConfig,
  execution: Execution,
): Promise<Credentials | undefined> {
  const key = credentialKey(host);
  const helper = config.credHelpers?.[key] ?? config.credsStore ?? "";
  const found = helper === "" ? fromFile(key, config) : await fromHelper(helper, key, execution);
  if (found !== undefined) hide(found, execution);
  return found;
}

function fromFile(key: string, config: DockerConfig): Credentials | undefined {
  const entry = config.auths?.[key] ?? config.auths?.[`https://${key}`];
  if (entry === undefined) return undefined;
  if (entry.registrytoken) return { kind: "registry-token", token: entry.registrytoken };
  if (entry.identitytoken) return { kind: "identity-token", token: entry.identitytoken };
  const pair = Buffer.from(entry.auth ?? "", "base64").toString();
  const colon = pair.indexOf(":");
  const username = entry.username || pair.slice(0, Math.max(colon, 0));
  // Some versions of docker pad the pair with zero bytes.
  const password = entry.password || pair.slice(colon + 1).replace(/\0+$/, "");
  return username === "" ? undefined : { kind: "password", username, password };
}

// Words of docker-credential-helpers for "I know nothing of this registry".
const UNKNOWN_TO_HELPER = /credentials not found/i;

async function fromHelper(
  helper: string,
  key: string,
  execution: Execution,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${helper}`;
  try {
    const command = { program, args: ["get"], input: key };
    const { stdout } = await execute(command, { ...execution, deadline: 30_000 });
    return readHelperAnswer(stdout);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const words = `${error.stdoutTail}\n${error.stderrTail}`.trim();
    if (UNKNOWN_TO_HELPER.test(words)) return undefined;
    throw new UserError(
      {
        title: `The credential helper of ${key} failed`,
        cause: `Docker's configuration names ${program} for ${key}: ${error.message}.`,
        remedy: "Install or mend it, or give this step username and password.",
        ...(words === "" ? {} : { evidence: words }),
      },
      { reason: error },
    );
  }
}

/** Reads what `docker-credential-X get` prints. Exported for its tests. */
export function readHelperAnswer(stdout: string): Credentials | undefined {
  let answer: { Username?: unknown; Secret?: unknown };
  try {
    answer = JSON.parse(stdout) as typeof answer;
  } catch {
    return undefined;
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== "string" || typeof secret !== "string" || secret === "") return undefined;
  if (username === "<token>") return { kind: "identity-token", token: secret };
  return { kind: "password", username, password: secret };
}

function hide(credentials: Credentials, { secrets }: Execution): void {
  if (credentials.kind === "password") {
    secrets.add(credentials.password);
    secrets.add(basicAuth(credentials.username, credentials.password));
  } else {
    secrets.add(credentials.token);
  }
}

/** The value of a Basic Authorization header, without the word. */
export function basicAuth(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString("base64");
}
