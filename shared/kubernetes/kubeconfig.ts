import { access, readFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { codeOf, describe, nearestName, UserError } from "../failure/index.ts";
import type { World } from "../world/index.ts";

export interface KubeconfigOptions {
  /** Path of a kubeconfig file, its content, or its content in base64. */
  readonly kubeconfig?: string | undefined;
  /** Name of the context to use in place of the current one. */
  readonly context?: string | undefined;
}

const WHERE_TO_GIVE =
  "Give the input `kubeconfig` (a path, the content, or the content in base64), set KUBECONFIG, " +
  "or run inside a pod with a service account.";

/**
 * Finds the credentials for a cluster: what was given, else KUBECONFIG, else ~/.kube/config, else
 * the service account of the pod that this runs in. Everything secret in it is hidden from now on.
 *
 * @throws {UserError} when there is none, when it cannot be read, or when it has no such context.
 */
export async function loadKubeconfig(
  options: KubeconfigOptions,
  world: Pick<World, "environment" | "secrets">,
): Promise<KubeConfig> {
  const config = await locate(options.kubeconfig, world.environment);
  hideSecrets(config, world);
  if (options.context !== undefined) selectContext(config, options.context);
  if (config.getCurrentCluster() === null) throw noCluster(config);
  return config;
}

async function locate(
  given: string | undefined,
  environment: World["environment"],
): Promise<KubeConfig> {
  if (given !== undefined && given !== "") {
    const content = kubeconfigContent(given);
    if (content !== undefined) return parse(content, "the input kubeconfig");
    return fromFiles([given], "the input kubeconfig");
  }
  const files = (environment.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  if (files.length > 0) return fromFiles(files, "KUBECONFIG");
  const home = join(environment.HOME ?? "/", ".kube", "config");
  if (await exists(home)) return fromFiles([home], "the default place");
  if (environment.KUBERNETES_SERVICE_HOST) {
    const config = new KubeConfig();
    config.loadFromCluster();
    return config;
  }
  throw new UserError({
    title: "No cluster to talk to",
    cause: `No kubeconfig was given, KUBECONFIG is not set, ${home} does not exist, and this does not run inside a cluster.`,
    remedy: WHERE_TO_GIVE,
  });
}

/** The YAML or JSON that was given in place of a path, or undefined when it looks like a path. */
export function kubeconfigContent(given: string): string | undefined {
  const looksLikeConfig = (text: string) =>
    /(^|[\s{,"])(clusters|contexts|apiVersion)"?\s*:/.test(text);
  if (looksLikeConfig(given)) return given;
  if (given.includes("\n") && !/^[A-Za-z0-9+/=\s]+$/.test(given)) return given;
  if (!/^[A-Za-z0-9+/=\s]{64,}$/.test(given)) return undefined;
  const decoded = Buffer.from(given, "base64").toString();
  return looksLikeConfig(decoded) ? decoded : undefined;
}

async function fromFiles(files: readonly string[], source: string): Promise<KubeConfig> {
  const merged = new KubeConfig();
  for (const file of files) {
    const content = await readFile(file, "utf8").catch((error: unknown) => {
      throw new UserError(
        {
          title: "The kubeconfig cannot be read",
          cause: `${source} names ${JSON.stringify(file)}: ${describe(error)}.`,
          remedy:
            codeOf(error) === "ENOENT"
              ? `Check the path; an earlier step may have to write the file. ${WHERE_TO_GIVE}`
              : WHERE_TO_GIVE,
        },
        { reason: error },
      );
    });
    const config = parse(content, file);
    config.makePathsAbsolute(dirname(file));
    merge(merged, config);
  }
  return merged;
}

/** The first file that names a thing wins, as kubectl does it. */
function merge(into: KubeConfig, from: KubeConfig): void {
  const missing = <T extends { readonly name: string }>(had: readonly T[], more: readonly T[]) =>
    more.filter(({ name }) => !had.some((known) => known.name === name));
  into.clusters = [...into.clusters, ...missing(into.clusters, from.clusters)];
  into.users = [...into.users, ...missing(into.users, from.users)];
  into.contexts = [...into.contexts, ...missing(into.contexts, from.contexts)];
  into.currentContext ||= from.currentContext;
}

function parse(content: string, source: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromString(content);
  } catch (error) {
    throw new UserError(
      {
        title: "The kubeconfig is not valid",
        // Only the first line: the others may quote the file, and with it its secrets.
        cause: `${source} is not a kubeconfig: ${describe(error).split("\n")[0]}.`,
        remedy: "Check that the whole file arrived; `kubectl config view` reads a good one.",
      },
      { reason: error },
    );
  }
  return config;
}

function hideSecrets(config: KubeConfig, { secrets }: Pick<World, "secrets">): void {
  for (const { token, password, keyData } of config.users) {
    if (token) secrets.add(token);
    if (password) secrets.add(password);
    if (keyData) {
      secrets.add(keyData);
      secrets.add(Buffer.from(keyData, "base64").toString());
    }
  }
}

function selectContext(config: KubeConfig, context: string): void {
  const names = config.contexts.map(({ name }) => name);
  if (names.includes(context)) {
    config.setCurrentContext(context);
    return;
  }
  const near = nearestName(context, names);
  throw new UserError({
    title: "No such context",
    cause: `The kubeconfig has no context ${JSON.stringify(context)}${near === undefined ? "" : `; did you mean ${near}?`}`,
    remedy: `Its contexts are: ${names.join(", ") || "none"}.`,
  });
}

function noCluster(config: KubeConfig): UserError {
  const names = config.contexts.map(({ name }) => name).join(", ");
  const current = config.currentContext;
  return new UserError({
    title: "The kubeconfig names no cluster",
    cause: current
      ? `Its current context ${JSON.stringify(current)} leads to no cluster.`
      : "It has no current context.",
    remedy: `Give the input \`context\`; the kubeconfig has ${names || "no contexts at all"}.`,
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
