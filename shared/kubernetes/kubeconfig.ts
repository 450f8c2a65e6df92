import { access, readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { delimiter, dirname, join, resolve } from "node:path";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import type { Cluster, User } from "@kubernetes/client-node/dist/config_types.js";
import { load } from "js-yaml";
import { codeOf, describe, nearestName, UserError } from "../failure/index.ts";
import type { World } from "../world/index.ts";
import type { ExecCluster, ExecConfig } from "./exec-plugin.ts";
import { proxyFor } from "./proxy.ts";

export interface KubeconfigOptions {
  /** Path of a kubeconfig file, its content, or its content in base64. */
  readonly kubeconfig?: string | undefined;
  /** Name of the context to use in place of the current one. */
  readonly context?: string | undefined;
}

const WHERE_TO_GIVE =
  "Give the input `kubeconfig` (a path, the content, or the content in base64), set KUBECONFIG, " +
  "or run inside a pod with a service account.";

/** A user of a kubeconfig, with what the client library leaves out. */
export interface UserEntry extends User {
  readonly tokenFile?: string | undefined;
  readonly impersonateUid?: string | undefined;
  readonly impersonateGroups?: readonly string[] | undefined;
  readonly impersonateExtra?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Folder of the file that the user is from. */
  readonly folder?: string | undefined;
}

/** The current context of a kubeconfig, and all that is needed to sign in to its cluster. */
export interface Kubeconfig {
  /** With the cluster's TLS settings and proxy, for the client library. */
  readonly config: KubeConfig;
  readonly context: string;
  readonly namespace: string;
  /** Address of the API server, without a slash at its end. */
  readonly server: string;
  readonly user: UserEntry;
  readonly exec: ExecConfig | undefined;
  /** What a credential plugin may be told of the cluster. */
  readonly cluster: ExecCluster;
  readonly folder: string | undefined;
}

/**
 * Finds the credentials for a cluster: what was given, else KUBECONFIG, else ~/.kube/config, else
 * the service account of the pod that this runs in. Everything secret in it is hidden from now on.
 *
 * @throws {UserError} when there is none, when it cannot be read, or when it has no such context.
 */
export async function loadKubeconfig(
  options: KubeconfigOptions,
  world: Pick<World, "environment" | "secrets">,
): Promise<Kubeconfig> {
  const config = await locate(options.kubeconfig, world.environment);
  hideSecrets(config, world);
  if (options.context !== undefined) selectContext(config, options.context);
  return current(config, world.environment);
}

/** The current context, with what the environment adds to it. */
function current(config: KubeConfig, environment: World["environment"]): Kubeconfig {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw noCluster(config);
  const context = config.getContextObject(config.getCurrentContext());
  const named: UserEntry | null = config.getCurrentUser();
  if (named === null && context?.user) throw noUser(context.user, config);
  const user: UserEntry = named ?? { name: "nobody" };
  const proxyUrl = cluster.proxyUrl || proxyFor(checkedServer(cluster), environment);
  // The library refuses plain HTTP without this; there is no certificate to verify then.
  const plain = cluster.server.startsWith("http:");
  const skipTLSVerify = cluster.skipTLSVerify || plain;
  const { exec, tokenFile: _, ...rest } = user;
  const ready = new KubeConfig();
  ready.loadFromOptions({
    clusters: [{ ...cluster, skipTLSVerify, ...(proxyUrl && { proxyUrl }) }],
    // Impersonation and plugins are looked after here.
    users: [{ ...rest, impersonateUser: undefined }],
    contexts: [{ name: "current", cluster: cluster.name, user: user.name }],
    currentContext: "current",
  });
  return {
    config: ready,
    context: config.getCurrentContext(),
    namespace: context?.namespace || "default",
    server: cluster.server.replace(/\/+$/, ""),
    user,
    exec: exec as ExecConfig | undefined,
    cluster: {
      server: cluster.server,
      "tls-server-name": cluster.tlsServerName,
      "insecure-skip-tls-verify": cluster.skipTLSVerify || undefined,
      "certificate-authority-data": cluster.caData,
      "proxy-url": cluster.proxyUrl,
    },
    folder: user.folder,
  };
}

function checkedServer({ name, server }: Cluster): string {
  if (/^https?:\/\//.test(server) && URL.canParse(server)) return server;
  throw new UserError({
    title: "The kubeconfig is not valid",
    cause: `The server of its cluster ${name} is ${JSON.stringify(server)}, which is no http or https address.`,
    remedy: "Write it in full: https://host:6443.",
  });
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
  if (files.length > 0) return fromFiles(await present(files), "KUBECONFIG");
  const home = join(environment.HOME ?? "/", ".kube", "config");
  if (await exists(home)) return fromFiles([home], "the default place");
  if (environment.KUBERNETES_SERVICE_HOST) return inCluster(environment);
  throw new UserError({
    title: "No cluster to talk to",
    cause: `No kubeconfig was given, KUBECONFIG is not set, ${home} does not exist, and this does not run inside a cluster.`,
    remedy: WHERE_TO_GIVE,
  });
}

/** Of several files those that exist, as kubectl takes them; all when there is none. */
async function present(files: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(files.map(exists));
  const found = files.filter((_, index) => there[index]);
  return found.length === 0 ? files : found;
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The service account of the pod that this runs in. Its token is renewed in its file. */
async function inCluster(environment: World["environment"]): Promise<KubeConfig> {
  const host = environment.KUBERNETES_SERVICE_HOST ?? "";
  const port = environment.KUBERNETES_SERVICE_PORT || "443";
  const tokenFile = join(SERVICE_ACCOUNT, "token");
  if (!(await exists(tokenFile))) {
    throw new UserError({
      title: "No cluster to talk to",
      cause: `No kubeconfig was given, and this runs inside a cluster, but ${tokenFile} does not exist.`,
      remedy: `Give the pod a service account with automountServiceAccountToken: true. ${WHERE_TO_GIVE}`,
    });
  }
  const namespace = await readFile(join(SERVICE_ACCOUNT, "namespace"), "utf8").catch(() => "");
  const user: UserEntry = { name: "pod", tokenFile };
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [
      {
        name: "own",
        server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
        caFile: join(SERVICE_ACCOUNT, "ca.crt"),
        skipTLSVerify: false,
      },
    ],
    users: [user],
    contexts: [
      { name: "in-cluster", cluster: "own", user: "pod", namespace: namespace.trim() || undefined },
    ],
    currentContext: "in-cluster",
  });
  return config;
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
    for (const user of config.users as Writable<UserEntry>[]) {
      user.folder = dirname(file);
      if (user.tokenFile) user.tokenFile = resolve(dirname(file), user.tokenFile);
    }
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
    addWhatIsLeftOut(config, content);
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

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The client library reads of a user neither a file with a token nor most of impersonation. */
function addWhatIsLeftOut(config: KubeConfig, content: string): void {
  const document = load(content) as { readonly users?: readonly RawUser[] };
  for (const { name, user: raw } of document.users ?? []) {
    const user = config.users.find((one) => one.name === name) as Writable<UserEntry> | undefined;
    if (user === undefined || !raw) continue;
    user.tokenFile = raw.tokenFile;
    user.impersonateUid = raw["as-uid"];
    user.impersonateGroups = raw["as-groups"];
    user.impersonateExtra = raw["as-user-extra"];
  }
}

interface RawUser {
  readonly name?: string;
  readonly user?: {
    readonly tokenFile?: string;
    readonly "as-uid"?: string;
    readonly "as-groups"?: readonly string[];
    readonly "as-user-extra"?: Readonly<Record<string, readonly string[]>>;
  };
}

/** Names of variables for a plugin, and of settings of an auth provider, that hold secrets. */
const SECRET_NAME = /secret|token|passw|(^|[^a-z])key|credential/i;

function hideSecrets(config: KubeConfig, { secrets }: Pick<World, "secrets">): void {
  const hide = (name: string, value: unknown) => {
    if (typeof value === "string" && SECRET_NAME.test(name)) secrets.add(value);
  };
  for (const { token, password, keyData, exec, authProvider } of config.users) {
    if (token) secrets.add(token);
    if (password) secrets.add(password);
    if (keyData) {
      secrets.add(keyData);
      secrets.add(Buffer.from(keyData, "base64").toString());
    }
    for (const { name, value } of (exec as ExecConfig | undefined)?.env ?? []) hide(name, value);
    for (const [name, value] of Object.entries(authProvider?.config ?? {})) hide(name, value);
  }
  for (const { proxyUrl } of config.clusters) {
    const password = proxyUrl && URL.canParse(proxyUrl) ? new URL(proxyUrl).password : "";
    if (password !== "") secrets.add(decodeURIComponent(password));
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

function noUser(name: string, config: KubeConfig): UserError {
  return new UserError({
    title: "The kubeconfig names no such user",
    cause: `Its current context ${JSON.stringify(config.getCurrentContext())} signs in as ${JSON.stringify(name)}, and it holds no such user.`,
    remedy: `It holds ${config.users.map((user) => user.name).join(", ") || "no users at all"}; a kubeconfig split over files needs all of them.`,
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
