import { type Connecting, openChannels } from "./channel-socket.ts";
import type { Cluster } from "./cluster.ts";

/** A program to run in a container. */
export interface Exec {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
}

/** How a program in a container ended. */
export interface ExecResult {
  /** Undefined when it never ran, or when nobody knows how it ended. */
  readonly exitCode: number | undefined;
  /** Why it did not run or how it failed, in the kubelet's words; empty when it succeeded. */
  readonly message: string;
  /** The beginnings of what it wrote, of at most `LONGEST_OUTPUT` bytes each. */
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it wrote more than was kept. */
  readonly truncated: boolean;
}

const LONGEST_OUTPUT = 1024 * 1024;
const CHANNEL = { stdout: 1, stderr: 2, error: 3 } as const;

/**
 * Runs a program in a container, without input and terminal. When the signal aborts, the
 * connection is closed; the program itself may go on, for the protocol has no way to end it.
 *
 * Source: k8s.io/apimachinery/pkg/util/remotecommand/constants.go, k8s.io/kubelet/pkg/cri/streaming/remotecommand.
 *
 * @throws {ApiError} when the API server refuses (permission, no such pod), {UserError} otherwise.
 * @throws the signal's reason when it aborts.
 */
export async function execute(
  cluster: Cluster,
  exec: Exec,
  signal: AbortSignal,
): Promise<ExecResult> {
  const stdout = new Output();
  const stderr = new Output();
  let status = "";
  const { promise: over, resolve } = Promise.withResolvers<Error | undefined>();
  const listener = {
    message: (channel: number, payload: Buffer) => {
      if (channel === CHANNEL.stdout) stdout.add(payload);
      if (channel === CHANNEL.stderr) stderr.add(payload);
      if (channel === CHANNEL.error) status += payload.toString();
    },
    closed: resolve,
  };
  const channels = await openChannels(cluster, connectingTo(exec), listener, signal);
  const onAbort = () => channels.close();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const broken = await over;
    signal.throwIfAborted();
    const truncated = stdout.truncated || stderr.truncated;
    return { ...outcomeOf(status, broken), stdout: stdout.text, stderr: stderr.text, truncated };
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Keeps the beginning of what is written, and lets the rest go by. */
class Output {
  readonly #chunks: Buffer[] = [];
  #kept = 0;
  truncated = false;

  add(chunk: Buffer): void {
    const part = chunk.subarray(0, LONGEST_OUTPUT - this.#kept);
    // A copy: the part would keep the whole message in memory.
    if (part.length > 0) this.#chunks.push(Buffer.from(part));
    this.#kept += part.length;
    this.truncated ||= part.length < chunk.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}

/** The connection for a program, with an input or without. */
export function connectingTo(
  { namespace, pod, container, command }: Exec,
  { input = false } = {},
): Connecting {
  const query = new URLSearchParams({ container, stdout: "true", stderr: "true" });
  if (input) query.set("stdin", "true");
  for (const word of command) query.append("command", word);
  const place = `namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}`;
  return {
    path: `/api/v1/${place}/exec?${query}`,
    protocols: ["v5.channel.k8s.io", "v4.channel.k8s.io"],
    asked: { verb: "get", resource: "pods/exec", namespace, name: pod },
    purpose: `run a command in container ${container}`,
  };
}

/** The fields of the Status object that ends the error channel. */
interface ExecStatus {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly message?: string }[];
  };
}

/** How it ended, by what the error channel said at the end. */
export function outcomeOf(
  status: string,
  broken: Error | undefined,
): Pick<ExecResult, "exitCode" | "message"> {
  let said: ExecStatus;
  try {
    said = JSON.parse(status) as ExecStatus;
  } catch {
    const why = broken?.message ?? "the connection ended without saying how the command ended";
    return { exitCode: undefined, message: status.trim() || why };
  }
  if (said.status === "Success") return { exitCode: 0, message: "" };
  const cause = said.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message ?? "";
  const exitCode = /^\d+$/.test(cause) ? Number(cause) : undefined;
  return { exitCode, message: said.message ?? said.reason ?? "it failed" };
}
