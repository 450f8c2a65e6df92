import type { Secrets } from "../secrets/index.ts";
import { startLocally } from "./local-place.ts";
import type { Place } from "./place.ts";
import { startSupervised } from "./supervised.ts";

/**
 * A running container of the docker engine, as `docker exec` reaches it, with the settings of this
 * process (DOCKER_HOST, contexts).
 *
 * @param container its name or id.
 */
export function containerPlace(container: string, secrets: Secrets): Place {
  const name = `container ${container}`;
  const start = (argv: readonly string[], signal: AbortSignal) =>
    startLocally(
      { program: "docker", args: ["exec", "-i", container, ...argv], input: true },
      { signal, secrets, name: "this machine" },
    );
  return { name, start: (command, signal) => startSupervised(command, start, { signal, name }) };
}
