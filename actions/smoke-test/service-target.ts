import { UserError } from "../../shared/failure/index.ts";
import { type Target, Unanswered } from "../../shared/http/index.ts";
import {
  ApiError,
  type Cluster,
  isNotFound,
  isTransient,
  NoReadyPod,
  openPortForward,
  type PortForward,
  readyPodOfService,
  Unreachable,
} from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";

/** A Service that is made just now may be late; a misspelt one never comes. */
const MISSING_PATIENCE_MS = 5_000;
/** An API server that never answered is more likely at another address than restarting. */
const UNREACHED_PATIENCE_MS = 10_000;

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
  readonly port: string | undefined;
}

/** A Service, reached through one of its ready pods by the API server's port-forward. */
export interface ServiceTarget extends Target {
  /** The pods that were used, in the order of use. */
  readonly pods: readonly string[];
}

/** Opens nothing yet: the first check asks for a ready pod. */
export function serviceTarget(
  cluster: Cluster,
  service: ServiceRef,
  world: Pick<World, "signal" | "log">,
): ServiceTarget {
  const pods: string[] = [];
  const ended = new AbortController();
  const signal = AbortSignal.any([world.signal, ended.signal]);
  const bound = cluster.boundTo(signal);
  let opening: Promise<PortForward> | undefined;
  let reached = false;

  const open = async (): Promise<PortForward> => {
    const pod = await readyPodOfService(bound, service);
    reached = true;
    const forward = await openPortForward(bound, pod, signal);
    if (pods.at(-1) !== pod.pod) pods.push(pod.pod);
    world.log.info(`Forwarding to port ${pod.port} of pod ${pod.namespace}/${pod.pod}.`);
    return forward;
  };
  return {
    pods,
    base: baseOf(service),
    // All checks share one port-forward.
    async reach() {
      opening ??= open();
      try {
        return await opening;
      } catch (error) {
        opening = undefined;
        reached ||= !(error instanceof Unreachable);
        throw noWay(error, reached);
      }
    },
    // The pod may be gone: the next attempt looks for a ready one anew.
    async failed(reason) {
      if (!["broken-off", "refused"].includes(reason.trouble)) return reason;
      const forward = await opening?.catch(() => undefined);
      opening = undefined;
      await forward?.close();
      const words = forward?.lastError();
      if (words === undefined) return reason;
      const message = `${reason.message}; the port-forward says: ${words}`;
      return new Unanswered(message, { ...reason, reason: reason.cause });
    },
    // Ends also what is still being opened.
    close: async () => ended.abort(),
  };
}

/** The Service as its clients in the cluster name it. */
function baseOf({ namespace, name, port }: ServiceRef): URL {
  const numbered = port !== undefined && /^\d+$/.test(port) ? `:${port}` : "";
  return new URL(`http://${name}.${namespace}.svc${numbered}`);
}

/** How long it makes sense to wait after the cluster refused a way to the Service. */
function noWay(error: unknown, reached: boolean): unknown {
  if (!(error instanceof UserError)) return error;
  const message = error.cause.replace(/\.$/, "");
  return new Unanswered(message, {
    trouble: error instanceof NoReadyPod ? "not-ready" : "service",
    patience: patienceOf(error, reached),
    reason: error,
  });
}

function patienceOf(error: UserError, reached: boolean): number {
  if (error instanceof NoReadyPod) return Infinity;
  if (isTransient(error)) return reached ? Infinity : UNREACHED_PATIENCE_MS;
  // The pod that was chosen a moment ago is gone: another one will be.
  if (isNotFound(error)) return Infinity;
  if (error instanceof ApiError || error instanceof Unreachable) return 0;
  return MISSING_PATIENCE_MS;
}
