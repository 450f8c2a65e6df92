import { nearestOf } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import {
  type Cluster,
  type Exec,
  type ExecResult,
  execute,
  isForbidden,
  type KubernetesObject,
} from "../../shared/kubernetes/index.ts";
import {
  type Redact,
  type Reply,
  textMismatches,
  Unanswered,
  type Way,
} from "../../shared/probe/index.ts";
import type { ExecSpec } from "./check-spec.ts";
import type { ClusterTrouble } from "./cluster-trouble.ts";

/** A program that an image does not have comes only with another image. */
const NO_PROGRAM_PATIENCE_MS = 5_000;
/** Exit codes by which a runtime says that the program could not be started. */
const NOT_STARTED = [126, 127, 128];
/** Which container is meant where none is named, as kubectl has it. */
const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";

interface Means {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly trouble: ClusterTrouble;
  readonly redact: Redact;
}

interface PodWithContainers extends KubernetesObject {
  readonly spec: { readonly containers: readonly { readonly name: string }[] };
}

/**
 * Runs a command in a pod, and holds its exit code and what it wrote to what is expected.
 *
 * @throws {Unanswered} when it could not be run, or did not end in time.
 */
export async function askCommand(
  spec: ExecSpec,
  { pod = "" }: Way,
  { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal },
  { cluster, namespace, trouble, redact }: Means,
): Promise<Reply> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  const began = performance.now();
  try {
    const result = await trouble.around(async () => {
      const place = { namespace, name: pod };
      const container = await containerOf(cluster.boundTo(limit), place, spec.container);
      const exec: Exec = { namespace, pod, container, command: spec.command };
      return execute(cluster, exec, limit);
    });
    return { ...judge(spec, result, redact), pod, milliseconds: performance.now() - began };
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
    const message = `the command did not end within ${timeout / 1_000} s; it may still run in pod ${pod}`;
    throw new Unanswered(message, { trouble: "timeout", patience: Infinity, reason: error });
  }
}

/**
 * The container that a command runs in. An account that may not look at the pod can still name it.
 *
 * @throws {UserError} when the pod has none of this name.
 */
async function containerOf(
  cluster: Cluster,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  wanted: string | undefined,
): Promise<string> {
  const ref = { apiVersion: "v1", kind: "Pod", namespace, name };
  const pod = await cluster.get<PodWithContainers>(ref).catch((error: unknown) => {
    if (wanted !== undefined && isForbidden(error)) return undefined;
    throw error;
  });
  if (pod === undefined) return wanted ?? "";
  const names = pod.spec.containers.map((container) => container.name);
  const found = wanted ?? pod.metadata.annotations?.[DEFAULT_CONTAINER] ?? names[0] ?? "";
  if (names.includes(found)) return found;
  throw new UserError({
    title: `No container ${found}`,
    cause: `Pod ${name} in namespace ${namespace} has no container ${found}; ${nearestOf(found, names)}`,
    remedy: "Correct the key `container` of the check.",
  });
}

function judge(spec: ExecSpec, result: ExecResult, redact: Redact): Omit<Reply, "milliseconds"> {
  const { exitCode, message, stdout, stderr } = result;
  const notStarted = exitCode === undefined || (NOT_STARTED.includes(exitCode) && stdout === "");
  if (
    notStarted &&
    exitCode !== spec.exitCode &&
    /exec|executable|not found|no such file|permission denied/i.test(message)
  ) {
    const words = redact(message.trim());
    throw new Unanswered(`${spec.command[0]} could not be started: ${words}`, {
      trouble: "command",
      patience: NO_PROGRAM_PATIENCE_MS,
    });
  }
  const text = [stdout, stderr].filter((part) => part !== "").join("\n");
  const ended =
    exitCode === spec.exitCode
      ? []
      : [
          `the exit code is ${exitCode ?? "not known"}, expected ${spec.exitCode}${lastWords(result, redact)}`,
        ];
  const reasons = [
    ...ended,
    ...textMismatches("its output", spec.stdout, stdout, redact),
    ...textMismatches("its error output", spec.stderr, stderr, redact),
  ];
  return {
    brief: `exit code ${exitCode ?? "unknown"}`,
    reasons,
    text,
    bytes: Buffer.byteLength(text),
  };
}

/** The last line that it wrote, which mostly says why it failed. */
function lastWords({ stdout, stderr, exitCode, message }: ExecResult, redact: Redact): string {
  const lines = (stderr.trim() || stdout.trim()).split("\n");
  const last = lines.at(-1)?.trim() ?? "";
  const words = last === "" && exitCode === undefined ? message : last;
  return words === "" ? "" : `; its last words: ${redact(words).slice(0, 200)}`;
}
