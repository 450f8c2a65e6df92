import { type Attempt, type Check, milliseconds } from "../../shared/probe/index.ts";
import type { Log } from "../../shared/world/index.ts";

/** Tells the log of attempts: the first one, every change, and the pass; not each repetition. */
export function storyTeller(log: Log) {
  const told = new Map<Check, string>();
  return (check: Check, number: number, attempt: Attempt): void => {
    const took = tookOf(attempt);
    if (attempt.reasons.length === 0) {
      const note = attempt.reply?.note === undefined ? "" : `, ${attempt.reply.note}`;
      log.info(`✅ ${check.name} passed at attempt ${number}${took}${note}.`);
      return;
    }
    const why = attempt.reasons.join("; ");
    log.debug(`${check.name}, attempt ${number}${took}: ${why}`);
    // Figures change with every attempt, the cause does not.
    const gist = why.replace(/\d+(\.\d+)? (ms|s|bytes)\b|request \d+ of/g, "");
    if (told.get(check) === gist) return;
    told.set(check, gist);
    const { interval, timeout } = check.pace;
    const again = `tried every ${interval / 1_000} s for at most ${timeout / 1_000} s`;
    log.info(
      `… ${check.name}, attempt ${number}: ${why} (${again}${hint(attempt.reply?.status)}).`,
    );
  };
}

function tookOf({ reply, latencies, answered }: Attempt): string {
  if (reply === undefined) return "";
  if (answered < 2 || latencies === undefined) {
    return ` (${reply.brief} in ${milliseconds(reply.milliseconds)})`;
  }
  const { requests, min, median, p95, max } = latencies;
  const figures = Object.entries({ min, median, p95, max }).map(
    ([name, value]) => `${name} ${milliseconds(value)}`,
  );
  return ` (${reply.brief}, ${requests} requests: ${figures.join(", ")})`;
}

/** Why a client error does not end the waiting. */
function hint(status: number | undefined): string {
  if (status === undefined || status < 400 || status > 499) return "";
  return `, for a ${status} can still heal while a rollout brings in new pods`;
}
