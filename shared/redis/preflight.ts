import { UserError } from "../failure/index.ts";
import type { ServerFacts } from "./server-facts.ts";

/** A replica that has heard nothing from its master for longer may be behind by anything. */
const LONGEST_SILENCE_S = 30;

/**
 * Whether a server holds what is to be backed up, whole and now.
 *
 * @throws {UserError} where it does not.
 */
export function ensureWhole(facts: ServerFacts, subject: string): void {
  if (facts.loading) {
    throw new UserError({
      title: `Redis at ${subject} is still loading its data`,
      cause: "A snapshot taken now would hold a part of it.",
      remedy: "Wait until it has loaded, and run this again.",
    });
  }
  const { master } = facts;
  if (master === undefined) return;
  const title = `Redis at ${subject} is a replica that is not up to date`;
  const remedy = "Mend its replication, or back up the master.";
  const refuse = (cause: string) => {
    throw new UserError({ title, cause, remedy });
  };
  if (master.syncing) refuse(`It is just taking everything over from ${master.address}.`);
  if (!master.up) refuse(`Its link to its master ${master.address} is down.`);
  if (master.silence > LONGEST_SILENCE_S) {
    refuse(`It last heard from its master ${master.address} ${master.silence} s ago.`);
  }
}

/**
 * Whether a server was the same all the while, and the snapshot can be what it held.
 *
 * @param found keys in the snapshot, by database.
 * @param own commands that this backup itself has sent in between.
 * @throws {UserError} where it was another, or the snapshot holds other numbers of keys than a
 * server that nobody wrote to.
 */
export function ensureSame(
  before: ServerFacts,
  after: ServerFacts,
  found: ReadonlyMap<number, number> | undefined,
  { subject, own }: { readonly subject: string; readonly own: number },
): void {
  const title = `The snapshot of Redis at ${subject} cannot be trusted`;
  const remedy = "Run this again; if it happens again, see the server's log.";
  if (before.runId !== after.runId) {
    throw new UserError({ title, cause: "The server was started anew while it was read.", remedy });
  }
  if (before.role !== after.role) {
    const cause = `The server turned from ${before.role} to ${after.role} while it was read.`;
    throw new UserError({ title, cause, remedy });
  }
  if (after.master !== undefined) ensureWhole(after, subject);
  if (found === undefined || !wasQuiet(before, after, own)) return;
  for (const database of new Set([...found.keys(), ...before.keys.keys()])) {
    const expected = before.keys.get(database) ?? 0;
    const given = found.get(database) ?? 0;
    if (expected === given) continue;
    throw new UserError({
      title,
      cause: `Nobody wrote to the server, which has ${expected} keys in database ${database}, and the snapshot has ${given}.`,
      remedy,
    });
  }
}

/** Nobody but this backup asked anything of the server, and its keys stayed as many as they were. */
function wasQuiet(before: ServerFacts, after: ServerFacts, own: number): boolean {
  if (after.commands - before.commands > own || after.expired !== before.expired) return false;
  if (after.evicted !== before.evicted || before.master !== undefined) return false;
  const same = ([database, keys]: [number, number]) => before.keys.get(database) === keys;
  return before.keys.size === after.keys.size && [...after.keys].every(same);
}

/** What whoever restores should know of the server, one sentence each. */
export function notesOn(before: ServerFacts, after: ServerFacts, subject: string): string[] {
  const notes: string[] = [];
  if (before.master !== undefined) {
    notes.push(`It was taken from a replica of ${before.master.address}, ${subject}.`);
  }
  if (after.evicted > before.evicted) {
    notes.push(
      `While it was taken, the server dropped ${after.evicted - before.evicted} keys for want of memory (${after.policy}).`,
    );
  } else if (after.evicted > 0) {
    notes.push(
      `The server has dropped ${after.evicted} keys for want of memory since it started (${after.policy}); they are in no backup taken since.`,
    );
  }
  if (before.lastSave !== "ok") {
    notes.push("The server's own last attempt to save its data had failed when this was taken.");
  }
  return notes;
}
