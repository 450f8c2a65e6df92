import { UserError } from "../failure/index.ts";
import { isTransient } from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";

const LOOK_MS = 1_000;

/**
 * Does what only looks, again and again while the API server is away: what was changed before must
 * not be undone for that.
 *
 * @param deadline until when, in milliseconds since the Unix epoch.
 * @throws what `work` throws, once it has another reason or the time is over.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  deadline: number,
  { clock, log, signal }: Pick<World, "clock" | "log" | "signal">,
): Promise<T> {
  let told = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || signal.aborted || clock.now() >= deadline) throw error;
      const why = error instanceof UserError ? error.cause : "";
      if (!told) log.warning(`${why} Waiting for it to come back.`, "The API server is away");
      told = true;
      await clock.sleep(LOOK_MS, signal);
    }
  }
}
