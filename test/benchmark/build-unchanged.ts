import { Fleet, SERVICES } from "./fleet/fleet.ts";
import { UploadMeter } from "./fleet/upload-meter.ts";
import { type Bench, median } from "./results.ts";

const ROUNDS = 9;

/**
 * Eight services of which nothing changed: the bundled action, which finds them by their content
 * keys, against a bake whose every step is cached. In turn, in one run.
 */
export const buildUnchanged: Bench = async (log) => {
  await using ours = await Fleet.create("ours", "light", log);
  await using theirs = await Fleet.create("bake", "light", log);
  await ours.shipByAction();
  await theirs.shipByBake();
  const [actions, bakes]: [number[], number[]] = [[], []];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const turns = [
      async () => void actions.push(await shipUnchanged(ours)),
      async () => void bakes.push(await theirs.shipByBake()),
    ];
    if (round % 2 === 0) turns.reverse();
    for (const turn of turns) await turn();
    log(`Round ${round}: action ${told(actions.at(-1))}, bake ${told(bakes.at(-1))}`);
  }
  const [action, bake] = [median(actions), median(bakes)];
  return [
    { name: "ratio", value: action / bake, unit: "times", target: 0.5 },
    { name: "seconds-per-service", value: action / 1_000 / SERVICES, unit: "s", target: 0.3 },
    { name: "bytes-uploaded", value: await bytesUploaded(ours), unit: "bytes", target: 0 },
    { name: "seconds", value: action / 1_000, unit: "s", target: undefined },
    { name: "bake.seconds", value: bake / 1_000, unit: "s", target: undefined },
  ];
};

async function shipUnchanged(fleet: Fleet, registry?: string): Promise<number> {
  const { milliseconds, built } = await fleet.shipByAction(registry);
  if (built > 0) throw new Error(`${built} services were built although nothing had changed`);
  return milliseconds;
}

/** In a round of its own, for the meter itself takes time. */
async function bytesUploaded(fleet: Fleet): Promise<number> {
  const [host = "", ...path] = fleet.registry.split("/");
  await using meter = await UploadMeter.start(host);
  await shipUnchanged(fleet, [meter.host, ...path].join("/"));
  return meter.bytes;
}

function told(milliseconds = Number.NaN): string {
  return `${(milliseconds / 1_000).toFixed(3)} s`;
}
