import { dirname, isAbsolute, join } from "node:path";
import { UserError } from "../failure/index.ts";
import { CommandFailed, execute } from "../process/index.ts";
import type { World } from "../world/index.ts";

/** A kubeconfig's `user.exec`: the program that makes credentials, as EKS, GKE and AKS use it. */
export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly interactiveMode?: string;
  readonly provideClusterInfo?: boolean;
}

/** What the plugin may be told of the cluster. */
export interface ExecCluster {
  readonly server: string;
  readonly "tls-server-name"?: string | undefined;
  readonly "insecure-skip-tls-verify"?: boolean | undefined;
  readonly "certificate-authority-data"?: string | undefined;
  readonly "proxy-url"?: string | undefined;
  readonly config?: unknown;
}

/** What a plugin made. */
export interface ExecCredential {
  readonly token?: string | undefined;
  /** PEM. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Milliseconds since the Unix epoch; Infinity: it does not say. */
  readonly expiresAt: number;
}

/** kubectl waits for ever; a plugin that asks somebody for a password in a job does, too. */
export const PLUGIN_PATIENCE_MS = 60_000;
const VERSIONS = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
const LONGEST_EVIDENCE = 4_000;

/** A plugin gave no credentials. */
export class PluginFailed extends UserError {
  /** Whether another try could help: a program that is missing stays so. */
  readonly transient: boolean;

  constructor(
    parts: ConstructorParameters<typeof UserError>[0],
    { transient, reason }: { readonly transient: boolean; readonly reason?: unknown },
  ) {
    super(parts, { reason });
    this.name = "PluginFailed";
    this.transient = transient;
  }

  /** The same failure where it has to be taken for the last word. */
  asFinal(): PluginFailed {
    const { title, cause, remedy, evidence, reason } = this;
    const parts = { title, cause, remedy, ...(evidence === undefined ? {} : { evidence }) };
    return new PluginFailed(parts, { transient: false, reason });
  }
}

export interface PluginSetting {
  readonly exec: ExecConfig;
  readonly cluster: ExecCluster;
  /** Folder of the kubeconfig: a command with a slash in it is found from there. */
  readonly folder: string | undefined;
  readonly secrets: World["secrets"];
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly patience?: number;
}

/**
 * Runs a credential plugin as kubectl does, but never waits for it longer than a minute, and never
 * lets it ask anybody.
 *
 * Source: kubernetes.io/docs/reference/access-authn-authz/authentication, client-go credential
 * plugins, and k8s.io/client-go/plugin/pkg/client/auth/exec.
 *
 * @throws {PluginFailed} when it is missing, fails, hangs, or answers with something else.
 */
export async function runPlugin(setting: PluginSetting): Promise<ExecCredential> {
  const { exec, secrets, signal } = setting;
  const command = programOf(setting);
  checkSetting(exec);
  const patience = setting.patience ?? PLUGIN_PATIENCE_MS;
  const environment = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  try {
    const { stdout, stderr } = await execute(
      {
        program: command,
        args: (exec.args ?? []).map(String),
        environment: { ...environment, KUBERNETES_EXEC_INFO: JSON.stringify(infoOf(setting)) },
      },
      { signal, secrets, deadline: patience },
    );
    return credentialIn(stdout, stderr, exec);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    if (error.why === "cancelled") signal.throwIfAborted();
    throw pluginFailed(exec, error);
  }
}

function programOf({ exec, folder }: PluginSetting): string {
  const command = exec.command ?? "";
  const isPath = command.includes("/") && !isAbsolute(command);
  return isPath && folder !== undefined ? join(folder, command) : command;
}

function checkSetting({ command, apiVersion, interactiveMode }: ExecConfig): void {
  const wrong = (cause: string, remedy: string) =>
    new PluginFailed({ title: TITLE, cause, remedy }, { transient: false });
  if (!command) {
    throw wrong(
      "The kubeconfig's user has `exec` without a command.",
      "Write the kubeconfig anew with the tool of your cluster's provider.",
    );
  }
  if (interactiveMode === "Always") {
    throw wrong(
      `The credential plugin ${command} wants to ask somebody (interactiveMode: Always), and nobody sits at a job.`,
      "Use credentials that need no person: a workload identity, a service account, or a token.",
    );
  }
  if (!VERSIONS.includes(apiVersion ?? "")) {
    throw wrong(
      `The kubeconfig asks the credential plugin ${command} for ${apiVersion || "no version"}, and Kubernetes knows ${VERSIONS.join(" and ")}.`,
      "Write the kubeconfig anew with a newer version of your provider's tool.",
    );
  }
}

function infoOf({ exec, cluster }: PluginSetting) {
  return {
    apiVersion: exec.apiVersion,
    kind: "ExecCredential",
    spec: { interactive: false, ...(exec.provideClusterInfo === true && { cluster }) },
  };
}

interface Answer {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

function credentialIn(stdout: string, stderr: string, exec: ExecConfig): ExecCredential {
  const wrong = (what: string) =>
    new PluginFailed(
      {
        title: TITLE,
        cause: `The credential plugin ${exec.command} ended well, but ${what}.`,
        remedy: remedyOf(exec),
        // What it printed may hold a token: only what it complained of is shown.
        ...evidenceOf(stderr),
      },
      { transient: true },
    );
  let answer: Answer;
  try {
    answer = JSON.parse(stdout) as Answer;
  } catch {
    throw wrong(stdout.trim() === "" ? "printed nothing" : "what it printed is no JSON");
  }
  if (answer?.kind !== "ExecCredential") throw wrong("what it printed is no ExecCredential");
  if (answer.apiVersion !== exec.apiVersion) {
    throw wrong(`it speaks ${answer.apiVersion}, where the kubeconfig says ${exec.apiVersion}`);
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = answer.status ?? {};
  if (!token && !(clientCertificateData && clientKeyData)) {
    throw wrong("gave neither a token nor a client certificate with its key");
  }
  const expiresAt = expirationTimestamp ? Date.parse(expirationTimestamp) : Infinity;
  return {
    token,
    certificate: clientCertificateData,
    key: clientKeyData,
    expiresAt: Number.isNaN(expiresAt) ? Infinity : expiresAt,
  };
}

const TITLE = "No credentials for the cluster";

function pluginFailed(exec: ExecConfig, error: CommandFailed): PluginFailed {
  const missing = error.why === "not-found";
  const how = {
    "not-found": `is not on this runner: ${error.message}`,
    "not-startable": `cannot be started: ${error.message}`,
    deadline: `gave no answer in time: ${error.message}; it may wait for somebody to sign in`,
    exit: `failed with exit status ${error.exitCode}`,
    signal: `was killed by ${error.killedBy}`,
    output: "printed without end",
    cancelled: "was cancelled",
  }[error.why];
  const said = lastLine(error.stderrTail);
  return new PluginFailed(
    {
      title: TITLE,
      cause: `The credential plugin ${exec.command} of the kubeconfig ${how}${said === "" ? "" : `: ${said}`}.`,
      remedy: remedyOf(exec, missing),
      ...evidenceOf(error.stderrTail),
    },
    { transient: !missing && error.why !== "not-startable", reason: error },
  );
}

/** What to do about the plugins of the great providers. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /^(aws|aws-iam-authenticator)(\.exe)?$/,
    "Sign in to AWS in an earlier step (aws-actions/configure-aws-credentials), with a role that the cluster lets in, and with the region of the cluster.",
  ],
  [
    /^(gke-gcloud-auth-plugin|gcloud)(\.exe)?$/,
    "Sign in to Google Cloud in an earlier step (google-github-actions/auth, then google-github-actions/get-gke-credentials), and install gke-gcloud-auth-plugin where the kubeconfig names it.",
  ],
  [
    /^kubelogin(\.exe)?$/,
    "Sign in to Azure in an earlier step (azure/login), install kubelogin (azure/use-kubelogin), and convert the kubeconfig: kubelogin convert-kubeconfig -l azurecli.",
  ],
];

function remedyOf({ command = "", installHint }: ExecConfig, missing = false): string {
  const name = command.slice(dirname(command) === "." ? 0 : command.lastIndexOf("/") + 1);
  const known = REMEDIES.find(([pattern]) => pattern.test(name))?.[1];
  const install = missing && installHint ? `${installHint.trim()} ` : "";
  const rest =
    known ??
    (missing
      ? `Install ${name} on the runner in an earlier step, or use a token of a service account.`
      : `Give ${name} what it needs in an earlier step, or use a token of a service account.`);
  return `${install}${rest}`;
}

function evidenceOf(stderr: string): { readonly evidence?: string } {
  const text = stderr.trim().slice(-LONGEST_EVIDENCE);
  return text === "" ? {} : { evidence: text };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim().replace(/\.$/, "").slice(0, 300) ?? "";
}
