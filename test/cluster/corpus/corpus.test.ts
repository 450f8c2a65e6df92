import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  GRACES,
  type Graces,
  type RolloutReport,
  waitForRollout,
} from "../../../shared/kubernetes/index.ts";
import {
  type BrokenCase,
  broken,
  eachOf,
  type Grounds,
  type HealthyCase,
  healthy,
  isChosen,
  openGrounds,
  Scene,
} from "../../corpus/index.ts";
import { testWorld } from "../kubernetes/sandbox.ts";

/** Long windows are cut short for what can never heal; the bench keeps the real ones. */
const SHORT: Partial<Graces> = {
  imagePull: 4_000,
  containerCreate: 4_000,
  podCreate: 3_000,
  unschedulable: 3_000,
  volume: 4_000,
  sandbox: 4_000,
  probe: 8_000,
};
/**
 * The kubelet of a busy machine probes later than it is told to. What can never run well is looked at
 * for longer here before it counts as well; the bench keeps the real windows.
 */
const LONG: Partial<Graces> = { unprobed: 20_000, restarted: 30_000 };
const AT_ONCE = 12;
/** The verdict must come this soon after its cause is certain, on a busy machine: the bench is strict. */
const SOON_MS = 5_000;
/** A verdict before its cause is a guess; whole seconds in the API's times explain this much. */
const EARLY_MS = -1_500;
const LONGEST_MS = 90_000;

interface Found {
  readonly report: RolloutReport;
  readonly lines: readonly string[];
  /** Between the moment at which the cause was certain and the verdict, in milliseconds. */
  readonly late: number;
}

let grounds: Grounds;
const found = new Map<string, Found>();
/** Cases that were not run to their end, and why. */
const failed = new Map<string, unknown>();

const cases = { broken: broken.filter(isChosen), healthy: healthy.filter(isChosen) };

/** Only the window of the case's own cause is cut short: others may open on the way. */
function gracesFor(one: BrokenCase | HealthyCase): Graces {
  if (!("grace" in one)) return GRACES;
  if (one.grace === "none") return { ...GRACES, ...LONG };
  return { ...GRACES, ...LONG, [one.grace]: SHORT[one.grace] ?? GRACES[one.grace] };
}

async function run(one: BrokenCase | HealthyCase): Promise<void> {
  const graces = gracesFor(one);
  await using scene = await Scene.open(grounds, one);
  await scene.deployFirst();
  scene.begin();
  const sighted = "sign" in one ? scene.regard.spot(one.sign) : undefined;
  await scene.apply(scene.objects);
  const { world, lines } = testWorld();
  const deadline = Date.now() + LONGEST_MS;
  const report = await waitForRollout(grounds.cluster, scene.targets, { deadline, world, graces });
  const ended = Date.now();
  let late = 0;
  if ("sign" in one && report.verdict === "failed") {
    const grace = one.grace === "none" ? 0 : graces[one.grace];
    late = ended - ((await sighted) ?? 0) - grace;
  }
  found.set(one.name, { report, lines, late });
}

beforeAll(async () => {
  grounds = await openGrounds("corpus");
  await eachOf([...cases.broken, ...cases.healthy], AT_ONCE, (one) =>
    run(one).catch((error: unknown) => void failed.set(one.name, error)),
  );
}, 420_000);

afterAll(async () => grounds?.[Symbol.asyncDispose]());

function foundOf(name: string): Found {
  const one = found.get(name);
  if (one === undefined) throw failed.get(name) ?? new Error(`${name} was not run`);
  return one;
}

describe("a rollout that cannot succeed", () => {
  for (const { name, reason, words } of cases.broken) {
    it(`${name}: fails soon, and says why`, () => {
      const { report, late } = foundOf(name);
      const { verdict, cause } = report;
      expect({ verdict, reason: cause?.reason }).toEqual({ verdict: "failed", reason });
      for (const word of words) expect(cause?.message).toContain(word);
      expect(late).toBeLessThan(SOON_MS);
      expect(late).toBeGreaterThan(EARLY_MS);
    });
  }
});

describe("a rollout that only looks bad", () => {
  for (const { name } of cases.healthy) {
    it(`${name}: passes in the end`, () => {
      const { verdict, cause } = foundOf(name).report;
      expect({ verdict, cause: cause?.message }).toEqual({ verdict: "ready", cause: undefined });
    });
  }
});

const CRASH = "exit-with-message";
const whereChosen = cases.broken.some(({ name }) => name === CRASH) ? it : it.skip;

whereChosen("gives the last lines of the container and the events as evidence", () => {
  const { evidence } = foundOf(CRASH).report;
  expect(evidence.logs.flatMap(({ lines }) => lines)).toContain("Error: cannot reach the database");
  expect(evidence.events.map(({ reason }) => reason)).toEqual(
    expect.arrayContaining(["SuccessfulCreate", "Scheduled"]),
  );
  expect(evidence.unavailable).toEqual([]);
});

it("tells of changes only", () => {
  for (const { lines } of found.values()) {
    const repeated = lines.filter((line, at) => line === lines[at - 1]);
    expect(repeated).toEqual([]);
  }
});
