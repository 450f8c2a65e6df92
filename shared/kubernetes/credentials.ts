import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { describe, UserError } from "../failure/index.ts";
import { systemClock, type World } from "../world/index.ts";
import { type ExecCredential, PluginFailed, runPlugin } from "./exec-plugin.ts";
import type { Kubeconfig, UserEntry } from "./kubeconfig.ts";
import { SharedWork } from "./shared-work.ts";

/** Headers of a request; some occur several times. */
export type Headers = Readonly<Record<string, string | string[]>>;

/** Files with tokens are written anew by those who mount them: kubelets, agents of providers. */
const FILE_LASTS_MS = 10_000;

/**
 * The credentials of a kubeconfig's current user, renewed as they run out: a token, a file with
 * one, name and password, a client certificate, a credential plugin, or an auth provider; and whom
 * the user acts for.
 */
export class Credentials {
  readonly #kubeconfig: Kubeconfig;
  readonly #user: UserEntry;
  readonly #secrets: World["secrets"];
  readonly #plugin: SharedWork<ExecCredential> | undefined;
  readonly #impersonation: Headers;
  #made: ExecCredential | undefined;
  #everMade = false;
  #file: { readonly token: string; readonly readAt: number } | undefined;
  #hidden: string | undefined;

  constructor(kubeconfig: Kubeconfig, { secrets }: Pick<World, "secrets">) {
    this.#kubeconfig = kubeconfig;
    this.#user = kubeconfig.user;
    this.#secrets = secrets;
    this.#impersonation = impersonationOf(kubeconfig.user);
    const { exec, cluster, folder } = kubeconfig;
    this.#plugin =
      exec && new SharedWork((signal) => this.#run({ exec, cluster, folder, secrets, signal }));
  }

  /**
   * The headers that sign a request in.
   *
   * @throws {UserError} when the credentials cannot be had.
   */
  async headers(signal: AbortSignal): Promise<Headers> {
    const authorization = await this.#authorization(signal);
    if (authorization === undefined) return this.#impersonation;
    this.#hide(authorization.replace(/^\S+ /, ""));
    return { authorization, ...this.#impersonation };
  }

  /** The client certificate that a plugin made, as PEM; a new object for every new one. */
  get certificate(): ExecCredential | undefined {
    return this.#made?.certificate === undefined ? undefined : this.#made;
  }

  /**
   * Forgets what the API server no longer accepts. False when nothing newer can be had: what the
   * kubeconfig itself holds stays as it is.
   */
  renew(): boolean {
    if (this.#plugin !== undefined) this.#made = undefined;
    this.#file = undefined;
    const { tokenFile, certFile, authProvider } = this.#user;
    return [this.#plugin, tokenFile, certFile, authProvider].some(Boolean);
  }

  /** Why the credentials may not be accepted, where they tell by themselves that they ran out. */
  expiry(now: number): string | undefined {
    const token = this.#made?.token ?? this.#file?.token ?? this.#user.token;
    const ends = token === undefined ? certificateEnd(this.#user) : tokenEnd(token);
    if (ends === undefined || ends > now) return undefined;
    const what = token === undefined ? "client certificate" : "token";
    return `The ${what} ran out at ${new Date(ends).toISOString()}`;
  }

  async #authorization(signal: AbortSignal): Promise<string | undefined> {
    const { tokenFile, token, username, password, authProvider } = this.#user;
    if (this.#plugin !== undefined) return bearer((await this.#madeNow(signal)).token);
    if (tokenFile !== undefined) return bearer(await this.#fromFile(tokenFile));
    if (token) return bearer(token);
    if (username) {
      const pair = Buffer.from(`${username}:${password ?? ""}`).toString("base64");
      return `Basic ${pair}`;
    }
    return authProvider ? this.#fromProvider(this.#kubeconfig.config) : undefined;
  }

  async #madeNow(signal: AbortSignal): Promise<ExecCredential> {
    const made = this.#made;
    if (made !== undefined && made.expiresAt > systemClock.now()) return made;
    if (this.#plugin === undefined) throw new Error("no plugin to ask");
    return this.#plugin.join(signal);
  }

  async #run(setting: Parameters<typeof runPlugin>[0]): Promise<ExecCredential> {
    try {
      const made = await runPlugin(setting);
      if (made.key !== undefined) this.#secrets.add(made.key);
      this.#made = made;
      this.#everMade = true;
      return made;
    } catch (error) {
      // One that never worked will not begin to.
      if (!(error instanceof PluginFailed) || this.#everMade) throw error;
      throw error.asFinal();
    }
  }

  async #fromFile(file: string): Promise<string> {
    const now = systemClock.now();
    if (this.#file !== undefined && now < this.#file.readAt + FILE_LASTS_MS)
      return this.#file.token;
    try {
      this.#file = { token: (await readFile(file, "utf8")).trim(), readAt: now };
      return this.#file.token;
    } catch (error) {
      // It is missing for a moment while it is exchanged.
      if (this.#file !== undefined) return this.#file.token;
      throw unreadable(file, error);
    }
  }

  /** Providers of old kubeconfigs (oidc), by the client library. */
  async #fromProvider(config: KubeConfig): Promise<string | undefined> {
    let authorization: string | undefined;
    const context = {
      setHeaderParam: (name: string, value: string) => {
        if (name.toLowerCase() === "authorization") authorization = value;
      },
      setDispatcher: () => undefined,
    };
    try {
      type Context = Parameters<KubeConfig["applySecurityAuthentication"]>[0];
      await config.applySecurityAuthentication(context as unknown as Context);
      return authorization;
    } catch (error) {
      throw providerFailed(this.#user, error);
    }
  }

  /** Every new token is hidden before it is sent anywhere. */
  #hide(token: string): void {
    if (token === this.#hidden) return;
    this.#hidden = token;
    this.#secrets.add(token);
  }
}

function bearer(token: string | undefined): string | undefined {
  return token ? `Bearer ${token}` : undefined;
}

/** Source: k8s.io/api/authentication/v1, ImpersonateUserHeader and those beside it. */
function impersonationOf(user: UserEntry): Headers {
  const { impersonateUser, impersonateUid, impersonateGroups = [], impersonateExtra = {} } = user;
  const headers: Record<string, string | string[]> = {};
  if (impersonateUser) headers["impersonate-user"] = impersonateUser;
  if (impersonateUid) headers["impersonate-uid"] = impersonateUid;
  if (impersonateGroups.length > 0) headers["impersonate-group"] = [...impersonateGroups];
  for (const [key, values] of Object.entries(impersonateExtra)) {
    // A header's name holds less than a key may: the rest is percent-encoded, as client-go does.
    const name = key.toLowerCase().replace(/[^a-z0-9!#$&'*+.^_`|~-]/g, encodeURIComponent);
    headers[`impersonate-extra-${name}`] = [...values];
  }
  return headers;
}

function tokenEnd(token: string): number | undefined {
  try {
    const [, claims = ""] = token.split(".");
    const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1_000 : undefined;
  } catch {
    // No JWT: it does not tell.
    return undefined;
  }
}

function certificateEnd({ certData }: UserEntry): number | undefined {
  if (!certData) return undefined;
  try {
    return Date.parse(new X509Certificate(Buffer.from(certData, "base64")).validTo);
  } catch {
    return undefined;
  }
}

function unreadable(file: string, error: unknown): UserError {
  return new UserError(
    {
      title: "No credentials for the cluster",
      cause: `The file that holds the token cannot be read: ${describe(error)}.`,
      remedy: `Check that ${file} is mounted and readable: a pod needs automountServiceAccountToken, or a projected volume.`,
    },
    { reason: error },
  );
}

function providerFailed({ authProvider }: UserEntry, error: unknown): UserError {
  const name = (authProvider as { name?: string } | undefined)?.name ?? "of the kubeconfig";
  return new UserError(
    {
      title: "No credentials for the cluster",
      cause: `The auth provider ${name} failed: ${describe(error).trim()}.`,
      remedy:
        "Auth providers are a thing of old kubeconfigs: write it anew with the tool of your cluster's provider, which uses a credential plugin.",
    },
    { reason: error },
  );
}
