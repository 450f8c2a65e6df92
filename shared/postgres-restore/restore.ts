import { openSession } from "../postgres/index.ts";
import type { Finding } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import type { Dump } from "./dump/dump.ts";
import { watchActivity } from "./restoring/activity.ts";
import { restoreArchive } from "./restoring/archive.ts";
import { restorePlain } from "./restoring/plain.ts";
import { Refusals } from "./restoring/refusals.ts";
import { Phases, type RestoreOptions, type RestoreReport } from "./restoring/report.ts";
import { DumpRoles } from "./restoring/roles.ts";
import { LimitReached, type RestoreTarget, ServerGone } from "./target.ts";

const PATIENCE_MS = 60_000;
const SETTLING_MS = 3_000;

/**
 * Restores a dump into an empty database, in the name of a role that is no superuser. What stands
 * in the dump is never run in the administrator's name. Errors of the restore are findings.
 *
 * @throws {UserError} where the target cannot be reached; the signal's reason on cancellation; what
 * reading the dump's files fails with.
 */
export async function restoreDump(
  dump: Dump,
  target: RestoreTarget,
  options: RestoreOptions,
  world: World,
): Promise<RestoreReport> {
  const findings: Finding[] = [];
  const refusals = new Refusals();
  const phases = new Phases((line) => world.log.info(line));
  const sessions = async () =>
    openSession(target.place, target.connection(options.database, "administrator"), {
      psql: target.programs.psql,
      signal: target.signal,
    });
  const opening = sessions();
  const watching = sessions();
  // Where the first cannot be had, the second is not left open.
  opening.catch(() => watching.then((session) => session.close()).catch(() => {}));
  watching.catch(() => {});
  await using administrator = await opening;
  await using watcher = await watching;
  await using activity = watchActivity(
    watcher,
    target.role("restorer") ?? "",
    options.patience ?? PATIENCE_MS,
  );
  // A plain dump is given to the server as it comes from its storage, which may be slow.
  const signals = dump.form === "plain" ? [target.signal] : [target.signal, activity.stalled];
  const signal = AbortSignal.any(signals);
  const restore = { target, options, administrator, phases, findings, refusals, signal, world };
  let finished = false;
  try {
    const roles = await DumpRoles.prepare(administrator, target, options.database);
    const whole = { ...restore, roles };
    await (dump.form === "plain" ? restorePlain(dump, whole) : restoreArchive(dump, whole));
    await roles.finish();
    finished = true;
  } catch (error) {
    world.signal.throwIfAborted();
    if (!(await abortsSoon(signal, world))) throw error;
    findings.push(interrupted(signal.reason, options, activity.last));
  }
  return { findings, refused: refusals.all, finished, phases: phases.all, seconds: phases.sum };
}

/** A connection breaks before it is known why the server went. */
async function abortsSoon(signal: AbortSignal, { clock }: World): Promise<boolean> {
  await clock.sleep(SETTLING_MS, signal).catch(() => {});
  return signal.aborted;
}

/** What a limit, the server's end or a standstill says of the dump. */
function interrupted(
  reason: unknown,
  { tier, patience = PATIENCE_MS }: RestoreOptions,
  last: { readonly subject: string; readonly seconds: number } | undefined,
): Finding {
  const at =
    last === undefined ? "" : ` It was at ${last.subject}, for ${Math.round(last.seconds)} s.`;
  const own = reason instanceof LimitReached || reason instanceof ServerGone;
  const what = own
    ? `The restore did not come to its end. ${reason.message}`
    : `The restore stood still for ${Math.round(patience / 1_000)} s: the program that reads the dump gives the server nothing to do, as with a dump that is cut off.`;
  return {
    detector: reason instanceof LimitReached ? "limit" : "restore",
    tier,
    weight: "damage",
    subject: last?.subject ?? "dump",
    what: `${what}${at}`,
  };
}
