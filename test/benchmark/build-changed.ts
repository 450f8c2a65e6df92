import { Fleet, serviceNames } from "./fleet/fleet.ts";
import { type Bench, median } from "./results.ts";

const ROUNDS = 3;
const MOST = 1.05;

/**
 * Eight services of which one changed, or all: the bundled action, which also proves what it
 * pushed, against a bake of the same. In turn, in one run.
 */
export const buildChanged: Bench = async (log) => {
  await using ours = await Fleet.create("ours", "heavy", log);
  await using theirs = await Fleet.create("bake", "heavy", log);
  await ours.shipByAction();
  await theirs.shipByBake();
  const one = await compare(ours, theirs, serviceNames().slice(0, 1), log);
  const all = await compare(ours, theirs, serviceNames(), log);
  return [
    { name: "one.ratio", value: one.action / one.bake, unit: "times", target: MOST },
    { name: "all.ratio", value: all.action / all.bake, unit: "times", target: MOST },
    { name: "one.seconds", value: one.action / 1_000, unit: "s", target: undefined },
    { name: "one.bake.seconds", value: one.bake / 1_000, unit: "s", target: undefined },
    { name: "all.seconds", value: all.action / 1_000, unit: "s", target: undefined },
    { name: "all.bake.seconds", value: all.bake / 1_000, unit: "s", target: undefined },
  ];
};

async function compare(
  ours: Fleet,
  theirs: Fleet,
  changed: readonly string[],
  log: (line: string) => void,
): Promise<{ readonly action: number; readonly bake: number }> {
  const [actions, bakes]: [number[], number[]] = [[], []];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await Promise.all([ours.change(changed), theirs.change(changed)]);
    const turns = [
      async () => void actions.push(await ship(ours, changed.length)),
      async () => void bakes.push(await theirs.shipByBake()),
    ];
    if (round % 2 === 0) turns.reverse();
    for (const turn of turns) await turn();
    log(
      `${changed.length} changed, round ${round}: action ${told(actions.at(-1))}, bake ${told(bakes.at(-1))}`,
    );
  }
  return { action: median(actions), bake: median(bakes) };
}

async function ship(fleet: Fleet, changed: number): Promise<number> {
  const { milliseconds, built } = await fleet.shipByAction();
  if (built !== changed)
    throw new Error(`${built} services were built, but ${changed} had changed`);
  return milliseconds;
}

function told(milliseconds = Number.NaN): string {
  return `${(milliseconds / 1_000).toFixed(2)} s`;
}
