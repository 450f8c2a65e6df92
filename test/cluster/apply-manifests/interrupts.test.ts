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
  [/add-mask/, 0, "SIGINT"],
  [/add-mask/, 700, "SIGTERM"],
  [/What changes/, 0, "SIGINT"],
  [/What changes/, 150, "SIGINT"],
  [/What changes/, 400, "SIGTERM"],
  [/is applied/, 0, "SIGINT"],
  [/is applied/, 600, "SIGTERM"],
  [/: ready/, 0, "SIGINT"],
];

describe("an update that is interrupted", () => {
  it.each(POINTS)(
    "after %p and %d ms by %s is put back, or stands; the next run succeeds",
    async (...point) => {
      const name = quay.name("up");
      expect((await quay.apply({ name, content: one(name) })).outputs.verdict).toBe("passed");
      const step = await interrupted({ name, content: two(name) }, point);
      expect(step.exitCode).toBe(1);
      expect(step.stopped).toBeLessThan(7_000);
      const world = await worldOf(name);
      // Once the new version is good, deleting what is old may be left to the next run.
      const acceptable = [ONE, TWO, { ...TWO, old: true }];
      expect(acceptable).toContainEqual(world);
      expect(step.outputs.verdict === "cancelled" || step.exitCode === null).toBe(true);
      expect(await quay.leases()).not.toContain(`seaworthy-applyset-${name}`);
      const again = await quay.apply({ name, content: two(name) });
      expect(`${step.stdout}\n---\n${again.stdout}`).not.toMatch(/::error.*::(?!.*cancelled).*$/m);
      expect(again.outputs.verdict).toBe("passed");
      expect(await worldOf(name)).toEqual(TWO);
      expect((await quay.history(name)).at(-1)).toMatch(/good/);
    },
  );

  it.each([
    [/What changes/, 100, "SIGINT"],
    [/is applied/, 100, "SIGTERM"],
  ] as const)(
    "in its first version, after %p and %d ms by %s, leaves nothing",
    async (...point) => {
      const name = quay.name("first");
      await interrupted({ name, content: one(name) }, point);
      expect(await worldOf(name)).toEqual(NOTHING);
      expect((await quay.apply({ name, content: one(name) })).outputs.verdict).toBe("passed");
      expect(await worldOf(name)).toEqual(ONE);
    },
  );

  it("while it goes back, is healed by the next run", async () => {
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
  it.each([
    [/What changes/, 300, "SIGKILL"],
    [/is applied/, 200, "SIGKILL"],
  ] as const)(
    "after %p and %d ms is finished by the next one, or taken back with it",
    async (...point) => {
      const [good, bad] = [quay.name("kill"), quay.name("kill")];
      await Promise.all([good, bad].map((name) => quay.apply({ name, content: one(name) })));
      await Promise.all(
        [good, bad].map((name) => interrupted({ name, content: two(name) }, point)),
      );
      const [again, failed] = await Promise.all([
        quay.apply({ name: good, content: two(good) }),
        quay.apply({
          name: bad,
          content: quay.config(bad, "three") + quay.web(bad, { image: missing() }),
        }),
      ]);
      expect(again.outputs.verdict).toBe("passed");
      expect(await worldOf(good)).toEqual(TWO);
      expect(failed.outputs).toMatchObject({ verdict: "failed", "running-revision": "1" });
      expect(await worldOf(bad)).toEqual(ONE);
    },
  );
});
