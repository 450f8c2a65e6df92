import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Quay } from "./quay.ts";

jest.setTimeout(400_000);

let quay: Quay;
beforeAll(async () => {
  quay = await Quay.open("apply-stopped");
});
afterAll(async () => quay?.[Symbol.asyncDispose]());

/** What of a set can be told apart: which of its versions each part is of. */
interface World {
  readonly config: string | undefined;
  readonly web: string | undefined;
  readonly fresh: boolean;
  readonly old: boolean;
}

const ONE: World = { config: "one", web: "one", fresh: false, old: true };
const TWO: World = { config: "two", web: "two", fresh: true, old: false };
const NOTHING: World = { config: undefined, web: undefined, fresh: false, old: false };

function one(name: string): string {
  return (
    quay.config(name, "one") + quay.web(name, { text: "one" }) + quay.config(`${name}-old`, "")
  );
}

function two(name: string, image?: string): string {
  const web = quay.web(name, { text: "two", ...(image === undefined ? {} : { image }) });
  return quay.config(name, "two") + web + quay.config(`${name}-fresh`, "");
}

async function worldOf(name: string): Promise<World> {
  const [config, web, fresh, old] = await Promise.all([
    quay.configMap(name),
    quay.deployment(name),
    quay.configMap(`${name}-fresh`),
    quay.configMap(`${name}-old`),
  ]);
  const text = JSON.stringify(web?.spec ?? {}).match(/"TEXT","value":"(\w+)"/)?.[1];
  return {
    config: config?.data?.text,
    web: web === undefined ? undefined : text,
    fresh: fresh !== undefined,
    old: old !== undefined,
  };
}

const missing = () => quay.box.endpoints.busyboxImage.replace(/:[^:/]+$/, ":no-such-tag");

/** When to interrupt: at a line of the log, so much later. */
type Point = readonly [after: RegExp, milliseconds: number, signal: NodeJS.Signals];

async function interrupted(inputs: Record<string, string>, [after, delay, signal]: Point) {
  const running = await quay.start(inputs);
  await running.logged(after);
  await new Promise((resolve) => setTimeout(resolve, delay));
  const at = performance.now();
  running.child.kill(signal);
  const step = await running.finished;
  return { ...step, stopped: performance.now() - at };
}

const POINTS: readonly Point[] = [
  [/add-mask/, 500, "SIGTERM"],
  [/What changes/, 0, "SIGINT"],
  [/What changes/, 200 + Math.round(300 * Math.random()), "SIGINT"],
  [/is applied/, 0, "SIGTERM"],
  [/: ready/, 0, "SIGINT"],
];

const FIRST: readonly Point[] = [
  [/What changes/, 100, "SIGINT"],
  [/is applied/, 100, "SIGTERM"],
];

const KILLS: readonly Point[] = [
  [/What changes/, 300, "SIGKILL"],
  [/is applied/, 200, "SIGKILL"],
];

/** Once the new version is good, deleting what is old may be left to the next run. */
const ACCEPTABLE = [ONE, TWO, { ...TWO, old: true }];

describe("an update that is interrupted", () => {
  it("is put back, or stands, wherever it was; the next run succeeds", async () => {
    const interrupt = async (point: Point) => {
      const name = quay.name("up");
      const first = await quay.apply({ name, content: one(name) });
      const step = await interrupted({ name, content: two(name) }, point);
      const world = await worldOf(name);
      const leases = await quay.leases();
      const again = await quay.apply({ name, content: two(name) });
      const seen = { point, world, log: `${step.stdout}\n---\n${again.stdout}` };
      expect({ ...seen, verdict: first.outputs.verdict }).toMatchObject({ verdict: "passed" });
      expect({ ...seen, exitCode: step.exitCode }).toMatchObject({ exitCode: 1 });
      expect({ ...seen, stopped: step.stopped < 7_000 }).toMatchObject({ stopped: true });
      expect(ACCEPTABLE).toContainEqual(world);
      expect({ ...seen, verdict: step.outputs.verdict }).toMatchObject({ verdict: "cancelled" });
      expect(leases).not.toContain(`seaworthy-applyset-${name}`);
      expect({ ...seen, verdict: again.outputs.verdict }).toMatchObject({ verdict: "passed" });
      expect(await worldOf(name)).toEqual(TWO);
      expect((await quay.history(name)).at(-1)).toMatch(/good/);
    };
    await Promise.all(POINTS.map(interrupt));
  });

  it("leaves nothing in its first version", async () => {
    const interrupt = async (point: Point) => {
      const name = quay.name("first");
      await interrupted({ name, content: one(name) }, point);
      expect(await worldOf(name)).toEqual(NOTHING);
      expect((await quay.apply({ name, content: one(name) })).outputs.verdict).toBe("passed");
      expect(await worldOf(name)).toEqual(ONE);
    };
    await Promise.all(FIRST.map(interrupt));
  });

  it("is healed by the next run when it was on its way back", async () => {
    const name = quay.name("back");
    await quay.apply({ name, content: one(name) });
    const point: Point = [/Going back to revision/, 20, "SIGINT"];
    await interrupted({ name, content: two(name, missing()) }, point);
    const failed = await quay.apply({ name, content: two(name, missing()) });
    expect(failed.outputs).toMatchObject({ verdict: "failed", "running-revision": "1" });
    expect(await worldOf(name)).toEqual(ONE);
  });
});

describe("a run that is killed", () => {
  it("is finished by the next one, or taken back with it", async () => {
    const kill = async (point: Point, image: string | undefined) => {
      const name = quay.name("kill");
      await quay.apply({ name, content: one(name) });
      await interrupted({ name, content: two(name) }, point);
      const content =
        image === undefined ? two(name) : quay.config(name, "three") + quay.web(name, { image });
      const next = await quay.apply({ name, content });
      expect(next.outputs.verdict).toBe(image === undefined ? "passed" : "failed");
      expect(await worldOf(name)).toEqual(image === undefined ? TWO : ONE);
    };
    await Promise.all(KILLS.flatMap((point) => [kill(point, undefined), kill(point, missing())]));
  });
});
