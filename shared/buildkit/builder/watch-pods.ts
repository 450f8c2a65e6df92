import { setTimeout as delay } from "node:timers/promises";
import { execute } from "../../process/index.ts";
import type { BuilderExecution } from "./builder.ts";
import { type ClusterState, judgePods } from "./judge-pods.ts";
import { podFailure, type StartSubject } from "./start-failure.ts";

/** The first look comes when a healthy builder is nearly ready: most are never looked at. */
const FIRST_MS = 3_000;
const PAUSE_MS = 2_000;
const ASK_MS = 5_000;
const RETELL_MS = 15_000;

/** Looks at the pods of a builder that is being started. */
export interface PodWatch extends Disposable {
  /** What kept them from being ready when they were last looked at; a sentence. */
  last(): string | undefined;
}

/**
 * Looks by kubectl, where it is there, why the pods of a builder do not start: buildx waits two
 * minutes and then says how many there are. What will not heal ends the wait.
 */
export function watchPods(
  subject: StartSubject,
  execution: BuilderExecution,
  hopeless: AbortController,
): PodWatch {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, execution.signal]);
  let last: string | undefined;
  const watch = async () => {
    const seenSince = new Map<string, number>();
    let told = 0;
    for (let pause = FIRST_MS; ; pause = PAUSE_MS) {
      await delay(pause, undefined, { signal });
      const found = judgePods(await look(subject, { ...execution, signal }));
      last = found?.sentence;
      if (found === undefined) continue;
      const now = performance.now();
      const since = seenSince.get(found.kind) ?? now;
      seenSince.set(found.kind, since);
      if (now - since >= found.graceMs) return hopeless.abort(podFailure(subject, found.sentence));
      if (now - told > RETELL_MS) execution.log.info(`Waiting for the builder: ${found.sentence}`);
      if (now - told > RETELL_MS) told = now;
    }
  };
  // Without kubectl, or without the right to look, buildx's own words must do.
  watch().catch(() => {});
  return {
    last: () => last,
    [Symbol.dispose]: () => over.abort(),
  };
}

async function look(subject: StartSubject, execution: BuilderExecution): Promise<ClusterState[]> {
  return Promise.all(
    subject.nodes.map(async ({ options }, index) => {
      const deployment = `${subject.name}${index}`.replaceAll("_", "-");
      const namespace = options.namespace === undefined ? [] : ["-n", options.namespace];
      const get = async (args: readonly string[]) => {
        const command = { program: "kubectl", args: ["get", "-o=json", ...namespace, ...args] };
        const quiet = { signal: execution.signal, secrets: execution.secrets, deadline: ASK_MS };
        return (JSON.parse((await execute(command, quiet)).stdout) as { items?: [] }).items ?? [];
      };
      const [pods, owners] = await Promise.all([
        get(["pods", `-l=app=${deployment}`]),
        get(["deployments.apps,statefulsets.apps", `--field-selector=metadata.name=${deployment}`]),
      ]);
      return { pods, owners };
    }),
  );
}
