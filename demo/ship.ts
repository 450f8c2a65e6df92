import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ActEvent,
  type ActResult,
  runWorkflow,
  type Workspace,
} from "../test/workflow/act/index.ts";
import type { Ground } from "./ground.ts";

/** Something that the workflow did, and when by `performance.now()`. */
export interface Moment {
  readonly at: number;
  readonly event: ActEvent;
}

/** A run of the quickstart's workflow from its first step to its last. */
export interface Voyage {
  readonly from: number;
  readonly to: number;
  readonly result: ActResult;
  readonly moments: readonly Moment[];
}

const LONGEST_MS = 10 * 60_000;

/** Runs the workflow that the quickstart's team calls, as a push to main would on GitHub. */
export async function ship(
  workspace: Workspace,
  ground: Ground,
  namespace: string,
  signal: AbortSignal,
  onMoment: (moment: Moment) => void,
): Promise<Voyage> {
  const from = performance.now();
  const moments: Moment[] = [];
  const kubeconfig = await readFile(ground.kubeconfig);
  const result = await runWorkflow({
    repository: workspace.folder,
    workflow: join(".github", "workflows", "ship.yml"),
    secrets: { KUBECONFIG: kubeconfig.toString("base64") },
    variables: {
      REGISTRY: ground.registry,
      NAMESPACE: namespace,
      ...(ground.baseImage !== undefined && { BASE_IMAGE: ground.baseImage }),
    },
    environment: ground.environment,
    path: ground.path,
    signal,
    deadline: LONGEST_MS,
    onEvent: (event) => {
      const moment = { at: performance.now(), event };
      moments.push(moment);
      onMoment(moment);
    },
  });
  return { from, to: performance.now(), result, moments };
}
