import { setTimeout as sleep } from "node:timers/promises";
import type { RunningServer } from "./server.ts";

/**
 * Ends the service without a failed request; resolves to the process's exit code.
 *
 * Kubernetes sends SIGTERM at the same moment as it starts to take the pod out of the Service, and
 * for a while nodes still route new connections here. So the service goes on serving while that
 * news spreads, and asks its clients to leave (Connection: close), before it stops listening.
 */
export async function shutDown(server: RunningServer, drainSeconds: number): Promise<number> {
  server.startDraining();
  console.log(`draining: serving for ${drainSeconds} s more`);
  await sleep(drainSeconds * 1000);
  const cut = await server.close();
  if (cut > 0) {
    console.error(`error: ${cut} requests were still running and have been cut`);
    return 1;
  }
  console.log("stopped: every request was answered");
  return 0;
}

/** Resolves to the first SIGTERM or SIGINT. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
}
