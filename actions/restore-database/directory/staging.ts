import { randomBytes } from "node:crypto";
import { posix } from "node:path";
import { describe, UserError } from "../../../shared/failure/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Files } from "./files.ts";
import { type Exchange, exchange, takeBack } from "./swap.ts";

const { basename, dirname, join } = posix;

/** What the folder is called in which a restore works. */
export const STAGING = ".seaworthy-restore";
const LOCK = "lock";
const PLAN = "plan.json";
/** A run touches its lock every 10 s; one that was not touched for so long has none. */
const IDLE_MS = 30_000;
const LOOK_EVERY_MS = 6_000;
const TRIES = 5;

/** The place where a restore works, which no other restore of the same folder has meanwhile. */
export interface Staging extends AsyncDisposable {
  readonly folder: string;
  /** The empty folder that is restored into. */
  readonly fresh: string;
  /** Exchanges what is restored for what is there. */
  exchange(plan: Exchange): Promise<void>;
}

/** Where restores of a folder work: beside it, or in it where it cannot be renamed. */
export function stagingPaths(target: string): { readonly beside: string; readonly inside: string } {
  return {
    beside: join(dirname(target), `.${basename(target)}${STAGING}`),
    inside: join(target, STAGING),
  };
}

/**
 * Takes the right to restore a folder, and puts right what an interrupted restore of it left.
 *
 * @param where beside or inside of the folder.
 * @throws {UserError} that says who works on it.
 */
export async function openStaging(
  files: Files,
  target: string,
  where: "beside" | "inside",
  world: World,
): Promise<Staging> {
  const paths = stagingPaths(target);
  const folder = paths[where];
  const other = where === "beside" ? paths.inside : paths.beside;
  if ((await files.kindOf(other)) === "folder") {
    // Of a run with another method: held, put right and removed, like one's own.
    await using left = await held(files, other, target, world);
    await left.clear();
  }
  return await held(files, folder, target, world);
}

class HeldStaging implements Staging {
  readonly folder: string;
  readonly fresh: string;
  readonly #files: Files;
  readonly #world: World;
  readonly #alive: AsyncDisposable;
  #isHalf = false;

  constructor(files: Files, folder: string, alive: AsyncDisposable, world: World) {
    this.folder = folder;
    this.fresh = join(folder, "new");
    this.#files = files;
    this.#alive = alive;
    this.#world = world;
  }

  async exchange(plan: Exchange): Promise<void> {
    // From here on it is done or taken back, whoever cancels meanwhile.
    const { aftermath } = this.#world;
    this.#world.signal.throwIfAborted();
    const file = join(this.folder, PLAN);
    await this.#files.create(file, JSON.stringify(plan));
    try {
      await exchange(this.#files, this.folder, plan, aftermath);
    } catch (error) {
      await this.#takeBack(plan, error);
      throw error;
    } finally {
      if (!this.#isHalf) await this.#files.remove(file, aftermath);
    }
  }

  async #takeBack(plan: Exchange, reason: unknown): Promise<void> {
    try {
      await takeBack(this.#files, this.folder, plan, this.#world.aftermath);
    } catch (error) {
      this.#isHalf = true;
      throw new UserError(
        {
          title: "The folder is half exchanged",
          cause: `Putting what is restored in its place failed: ${describe(reason)}. Putting back what was there failed too: ${describe(error)}.`,
          remedy: `Nothing is lost: what was there is in ${join(this.folder, "old")}, what is restored in ${this.fresh}. See to the file system, and run again: the next run puts back what was there before anything else.`,
        },
        { reason: error },
      );
    }
  }

  /** Puts back what an interrupted exchange has moved, and removes all that is left of it. */
  async clear(): Promise<void> {
    const { signal, log } = this.#world;
    const text = await this.#files.read(join(this.folder, PLAN));
    if (text !== undefined) {
      const plan = planIn(text);
      if (plan !== undefined) await takeBack(this.#files, this.folder, plan, signal);
      log.warning(
        "An earlier restore was interrupted while it put things in their places. That was put right first.",
        "An interrupted restore",
      );
      await this.#files.remove(join(this.folder, PLAN), signal);
    }
    for (const name of await this.#files.names(this.folder)) {
      if (name === LOCK) continue;
      log.info(`Removing ${join(this.folder, name)}, which an interrupted restore left`);
      await this.#files.remove(join(this.folder, name), signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { signal, aftermath, log } = this.#world;
    await this.#alive[Symbol.asyncDispose]();
    const until = signal.aborted ? aftermath : signal;
    // What could not be put back stays for the next run.
    if (this.#isHalf) return;
    try {
      await this.#files.remove(this.folder, until);
    } catch (error) {
      log.warning(
        `${this.folder}${this.#files.where} could not be removed and is of no use; the next run removes it: ${describe(error)}`,
      );
    }
  }
}

async function held(
  files: Files,
  folder: string,
  target: string,
  world: World,
): Promise<HeldStaging> {
  const lock = join(folder, LOCK);
  const words = `${await files.identity()}\n${byWhom(world)} since ${new Date(world.clock.now()).toISOString()}\n`;
  for (let attempt = 1; ; attempt += 1) {
    const isNew = await files.makeFolder(folder);
    if (await files.create(lock, words)) {
      const staging = new HeldStaging(files, folder, await files.keepAlive(lock), world);
      if (!isNew) await staging.clear();
      await files.makeFolder(staging.fresh);
      return staging;
    }
    const found = (await files.read(lock)) ?? "";
    const [identity = "", who = ""] = found.split("\n");
    const alive = (await files.isAlive(identity)) ?? !(await isIdle(files, lock, world));
    if (alive || attempt >= TRIES) throw taken(target + files.where, who);
    // Only one of several can take it away.
    const stale = join(folder, `lock-${randomBytes(4).toString("hex")}`);
    await files.move([{ from: lock, to: stale }], world.signal).catch(() => {});
  }
}

/** Looks until a lock is touched, or was not touched for long. */
async function isIdle(files: Files, lock: string, { clock, log, signal }: World): Promise<boolean> {
  let idle = (await files.idle(lock)) ?? Infinity;
  if (idle < IDLE_MS) log.info(`${lock} is there: waiting whether the run that made it goes on`);
  while (idle < IDLE_MS) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    const now = (await files.idle(lock)) ?? Infinity;
    if (now < idle + LOOK_EVERY_MS / 2) return false;
    idle = now;
  }
  return true;
}

function byWhom({ environment }: World): string {
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = environment;
  return repository === undefined ? "seaworthy" : `run ${run ?? "?"} of ${repository}`;
}

function taken(target: string, who: string): UserError {
  return new UserError({
    title: "Another restore works on the folder",
    cause: `${target} is being restored by ${who || "somebody else"}.`,
    remedy: "Wait until that is done, or cancel it, and run again. Nothing was changed.",
  });
}

/** Undefined where it was not written to its end: nothing is moved before it is. */
function planIn(text: string): Exchange | undefined {
  try {
    return JSON.parse(text) as Exchange;
  } catch {
    return undefined;
  }
}
