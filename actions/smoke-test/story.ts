import type { Attempt, Check, Pace } from "../../shared/http/index.ts";
import type { Log } from "../../shared/world/index.ts";

/** Tells the log of attempts: the first one, every change, and the pass; not each repetition. */
export function storyTeller(log: Log, { interval, timeout }: Pace) {
  const told = new Map<Check, string>();
  return (check: Check, number: number, { answer, reasons }: Attempt): void => {
    const took =
      answer === undefined ? "" : ` (${answer.status} in ${Math.round(answer.milliseconds)} ms)`;
    if (reasons.length === 0) {
      log.info(`✅ ${check.name} passed at attempt ${number}${took}.`);
      return;
    }
    const why = reasons.join("; ");
    log.debug(`${check.name}, attempt ${number}${took}: ${why}`);
    // Figures change with every attempt, the cause does not.
    const gist = why.replace(/\d+(\.\d+)? (ms|s|bytes)\b/g, "");
    if (told.get(check) === gist) return;
    told.set(check, gist);
    const again = `tried every ${interval / 1_000} s for at most ${timeout / 1_000} s`;
    log.info(`… ${check.name}, attempt ${number}: ${why} (${again}${hint(answer?.status)}).`);
  };
}

/** Why a client error does not end the waiting. */
function hint(status: number | undefined): string {
  if (status === undefined || status < 400 || status > 499) return "";
  return `, for a ${status} can still heal while a rollout brings in new pods`;
}
