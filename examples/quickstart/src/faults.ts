import { setTimeout as sleep } from "node:timers/promises";

/** The ways in which the service misbehaves on request; all are off by default. */
export interface Faults {
  /** The share of requests to answer with status 500, from 0 to 1. */
  readonly errorRate: number;
  /** How long to wait before each answer. */
  readonly latencyMs: number;
  /** Die before listening, as a service with a broken configuration does. */
  readonly crashAtStart: boolean;
  /** Stay alive, but never become ready. */
  readonly readiness: boolean;
}

/** What a crash at start says; the last line of the container's log. */
export const CRASH_MESSAGE = "cannot read configuration: FEATURE_FLAGS is not valid JSON";

/** Why /ready answers 503 while the readiness fault is on. */
export const NOT_READY_REASON = "the order database does not answer (FAULT_READINESS is on)";

/** Waits as long as the latency fault asks for. */
export async function delay(faults: Faults): Promise<void> {
  if (faults.latencyMs > 0) {
    await sleep(faults.latencyMs);
  }
}

/** Decides whether one request fails. `random` is below 1, so rate 0 never fails and 1 always. */
export function failsByChance(faults: Faults, random: () => number): boolean {
  return random() < faults.errorRate;
}

/** Names the switches that are on, for the log: nobody should search for a fault they asked for. */
export function describeFaults(faults: Faults): string[] {
  const lines: string[] = [];
  if (faults.errorRate > 0) {
    lines.push(`fault: requests will fail at a rate of ${faults.errorRate} (FAULT_ERROR_RATE)`);
  }
  if (faults.latencyMs > 0) {
    lines.push(`fault: answers will take ${faults.latencyMs} ms longer (FAULT_LATENCY_MS)`);
  }
  if (faults.readiness) {
    lines.push(`fault: not ready: ${NOT_READY_REASON}`);
  }
  return lines;
}
