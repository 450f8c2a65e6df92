import type { Cluster } from "../kubernetes/index.ts";
import type { Secrets } from "../secrets/index.ts";
import type { Place, Running } from "./place.ts";
import { startSupervised } from "./supervised.ts";

/** A container of a pod. */
export interface PodContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** A container of a pod, in which programs are run through the API server. */
export function podPlace(cluster: Cluster, where: PodContainer, secrets: Secrets): Place {
  const { namespace, pod, container } = where;
  const name = `container ${container} of pod ${namespace}/${pod}`;
  const start = async (command: readonly string[], signal: AbortSignal): Promise<Running> => {
    const { startExec } = await import("../kubernetes/index.ts");
    const exec = { namespace, pod, container, command, input: true };
    const { stdin, stdout, ended, hangUp } = await startExec(cluster, exec, signal);
    const told = ended.then(({ exitCode, message, stderr }) => ({
      exitCode,
      message: secrets.redact(message),
      stderr: secrets.redact(stderr),
    }));
    return { stdin, stdout, ended: told, end: hangUp };
  };
  return { name, start: (command, signal) => startSupervised(command, start, { signal, name }) };
}
