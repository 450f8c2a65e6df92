import { posix } from "node:path";
import type { Files } from "./files.ts";

/**
 * Members that change places: what is there goes into `old/` of the staging folder, what is new comes
 * out of `new/`. It is written down before the first is moved, so that an interrupted exchange can
 * be taken back.
 */
export interface Swap {
  readonly form: "swap";
  /** The folder whose members they are. */
  readonly root: string;
  readonly units: readonly Unit[];
  /** Folders that were made around them, outermost first. */
  readonly made: readonly string[];
}

export interface Unit {
  /** From the root. */
  readonly path: string;
  /** Whether there is one that goes. */
  readonly had: boolean;
  /** Whether one comes. */
  readonly comes: boolean;
}

/** The whole folder changes places with the one beside it. */
export interface Switch {
  readonly form: "switch";
  readonly target: string;
  /** The name that the former folder gets; undefined where there is none. */
  readonly former?: string | undefined;
}

export type Exchange = Swap | Switch;

const { join } = posix;

/** Does what was written down. */
export async function exchange(
  files: Files,
  staging: string,
  plan: Exchange,
  signal: AbortSignal,
): Promise<void> {
  if (plan.form === "switch") {
    const out = plan.former === undefined ? [] : [{ from: plan.target, to: plan.former }];
    await files.move([...out, { from: join(staging, "new"), to: plan.target }], signal);
    return;
  }
  await files.makeFolder(join(staging, "old"));
  const moves = plan.units.flatMap(({ path, had, comes }, index) => [
    ...(had ? [{ from: join(plan.root, path), to: oldAt(staging, index) }] : []),
    ...(comes ? [{ from: join(staging, "new", path), to: join(plan.root, path) }] : []),
  ]);
  await files.move(moves, signal);
}

/** Puts back what an exchange that did not come to its end has moved; it may be done again. */
export async function takeBack(
  files: Files,
  staging: string,
  plan: Exchange,
  signal: AbortSignal,
): Promise<void> {
  if (plan.form === "switch") {
    const { target, former } = plan;
    // Both are there before it began, and when it was done.
    if (former === undefined || (await files.kindOf(target)) !== "absent") return;
    if ((await files.kindOf(former)) === "absent") return;
    await files.move([{ from: former, to: target }], signal);
    return;
  }
  for (const [index, { path, had, comes }] of plan.units.entries()) {
    const [real, old, fresh] = [
      join(plan.root, path),
      oldAt(staging, index),
      join(staging, "new", path),
    ];
    const isOut = had && (await files.kindOf(old)) !== "absent";
    const isIn = comes && (await files.kindOf(fresh)) === "absent" && (isOut || !had);
    const there = isIn && (await files.kindOf(real)) !== "absent";
    await files.move(
      [...(there ? [{ from: real, to: fresh }] : []), ...(isOut ? [{ from: old, to: real }] : [])],
      signal,
    );
  }
  for (const folder of plan.made.toReversed()) await files.removeEmpty(folder);
}

function oldAt(staging: string, index: number): string {
  return join(staging, "old", `${index}`);
}
