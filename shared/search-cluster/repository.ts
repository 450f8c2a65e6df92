import { UserError } from "../failure/index.ts";
import type { World } from "../world/index.ts";
import type { SearchConnection } from "./connection.ts";
import { canonical } from "./definition.ts";
import { SearchRefusal } from "./refusal.ts";
import type { RepositorySettings } from "./settings.ts";

/** A repository as the cluster has it. */
export interface Repository {
  readonly name: string;
  readonly type: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Settings that clusters do not show again, and whose values nobody is to see. */
const SECRETS = /key|secret|password|token/i;

/** The values of a repository's settings that are not to be shown. */
function secretsIn({ settings }: RepositorySettings): string[] {
  const secret = Object.entries(settings).filter(([name]) => SECRETS.test(name));
  return secret.map(([, value]) => value).filter((value) => typeof value === "string");
}

/**
 * Finds the repository, registers it where that is asked for, and has every node prove that it can
 * write there.
 *
 * @throws {UserError} where it is not known, another one of that name is, or a node cannot use it.
 */
export async function ensureRepository(
  cluster: SearchConnection,
  name: string,
  settings: RepositorySettings | undefined,
  { secrets }: Pick<World, "secrets">,
): Promise<Repository> {
  for (const secret of settings === undefined ? [] : secretsIn(settings)) secrets.add(secret);
  const path = `/_snapshot/${encodeURIComponent(name)}`;
  const found = await cluster.find<Record<string, Omit<Repository, "name">>>("GET", path);
  const known = found?.[name];
  if (known === undefined) {
    if (settings === undefined) throw await unknownRepository(cluster, name);
    await register(cluster, path, name, settings);
  } else if (settings !== undefined) checkSame(cluster.place, name, known, settings);
  try {
    await verify(cluster, path, name);
  } catch (error) {
    // What was registered a moment ago, and does not work, is of no use to anybody.
    if (known === undefined) await cluster.find("DELETE", path).catch(() => undefined);
    throw error;
  }
  return { name, ...(known ?? settings ?? { type: "", settings: {} }) };
}

async function unknownRepository(cluster: SearchConnection, name: string): Promise<UserError> {
  const known = Object.keys(await cluster.ask<Record<string, unknown>>("GET", "/_snapshot"));
  const those = known.length === 0 ? "It knows none." : `It knows: ${known.join(", ")}.`;
  return new UserError({
    title: `There is no snapshot repository ${name}`,
    cause: `${cluster.place} does not know it. ${those}`,
    remedy: "Name one that it knows, or give the type and settings with which to register it.",
  });
}

async function register(
  cluster: SearchConnection,
  path: string,
  name: string,
  { type, settings }: RepositorySettings,
): Promise<void> {
  try {
    await cluster.ask("PUT", `${path}?verify=false`, { body: { type, settings } });
  } catch (error) {
    if (!(error instanceof SearchRefusal)) throw error;
    throw new UserError(
      {
        title: `The snapshot repository ${name} cannot be registered`,
        cause: `${cluster.place} says: ${error.reasons.join("; ")}.`,
        remedy:
          "For fs, the location has to be below path.repo of every node's elasticsearch.yml or " +
          "opensearch.yml. For s3, the plugin repository-s3 and its keys have to be on every node.",
      },
      { reason: error },
    );
  }
}

function checkSame(
  place: string,
  name: string,
  known: Omit<Repository, "name">,
  wanted: RepositorySettings,
): void {
  const differing = Object.entries(wanted.settings)
    // Who only verifies asks for less than the cluster may have allowed itself.
    .filter(([setting]) => !SECRETS.test(setting) && setting !== "readonly")
    .filter(
      ([setting, value]) => canonical(String(value)) !== canonical(`${known.settings[setting]}`),
    )
    .map(([setting, value]) => `${setting} ${known.settings[setting]}, not ${String(value)}`);
  if (known.type !== wanted.type) differing.unshift(`type ${known.type}, not ${wanted.type}`);
  if (differing.length === 0) return;
  throw new UserError({
    title: `The snapshot repository ${name} is another one`,
    cause: `${place} has it with ${differing.join("; ")}. It was left as it is.`,
    remedy: "Use another name, or leave the settings out to take the repository as it is.",
  });
}

async function verify(cluster: SearchConnection, path: string, name: string): Promise<void> {
  try {
    await cluster.ask("POST", `${path}/_verify`);
  } catch (error) {
    if (!(error instanceof SearchRefusal) || error.status === 401 || error.status === 403)
      throw error;
    throw new UserError(
      {
        title: `The snapshot repository ${name} does not work`,
        cause: `${cluster.place} tried it on every node, and says: ${error.reasons.join("; ")}.`,
        remedy:
          "Make it reachable and writable from every node that holds data or may lead the cluster: " +
          "a folder has to be the same shared one, a bucket needs the same keys everywhere.",
        ...(error.evidence === undefined ? {} : { evidence: error.evidence }),
      },
      { reason: error },
    );
  }
}
