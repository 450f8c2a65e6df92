import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { type Fate, faultProxy } from "../kubernetes/fault-proxy.ts";
import { Dock, until } from "./dock.ts";

jest.setTimeout(400_000);

let dock: Dock;
beforeAll(async () => {
  dock = await Dock.open("helm-faults");
});
afterAll(async () => dock?.[Symbol.asyncDispose]());

/** When to interrupt: at a line of the log, so much later. */
type Point = readonly [after: RegExp, milliseconds: number, signal: NodeJS.Signals];

const POINTS: readonly Point[] = [
  [/add-mask/, 0, "SIGTERM"],
  [/add-mask/, 150, "SIGINT"],
  [/objects change/, 0, "SIGINT"],
  [/objects change/, 120, "SIGTERM"],
  [/Helm runs the/, 0, "SIGINT"],
  [/Helm runs the/, 700, "SIGTERM"],
  [/is applied/, 0, "SIGINT"],
  [/is applied/, 500, "SIGTERM"],
  [/: ready/, 0, "SIGINT"],
];

async function world(of: string) {
  const history = await dock.history(of);
  const pending = history.filter(({ status }) => /pending|uninstalling/.test(status));
  const lease = (await dock.leases()).filter((name) => name === `seaworthy-${of}`);
  return { last: history.at(-1)?.status, pending, lease, text: await dock.text(of) };
}

describe("a run that is interrupted", () => {
  it.concurrent.each([
    ["helm", POINTS],
    ["helm3", POINTS.filter((_, index) => index % 3 === 0)],
  ] as const)("leaves the release right at every point, with %s", async (helm, points) => {
    const of = dock.name();
    await dock.release({ release: of, helm, values: "text: v0" });
    let [text, count] = ["v0", 0];
    for (const [after, delay, signal] of points) {
      count += 1;
      const values = `{text: v${count}, slow: 2, hookSeconds: 1}`;
      const step = await dock.start({ release: of, helm, values });
      await step.logged(after).catch(() => undefined);
      await pause(delay);
      step.child.kill(signal);
      const ended = await step.finished;
      const passed = ended.outputs.verdict === "passed";
      text = passed ? `v${count}` : text;
      const where = `${after} +${delay} ms:\n${ended.stdout}`;
      expect({ where, ...(await world(of)) }).toEqual({
        where,
        last: "deployed",
        pending: [],
        lease: [],
        text,
      });
      expect(ended.leftovers).toEqual([]);
    }
    const again = await dock.release({ release: of, helm, values: "text: last" });
    expect(again.outputs.verdict).toBe("passed");
    expect(await dock.text(of)).toBe("last");
  });
});

describe("a run that is killed", () => {
  it("takes its Helm and its files with it, and the next one goes on", async () => {
    const of = dock.name();
    await dock.release({ release: of, values: "text: one" });
    const step = await dock.start({ release: of, values: "{text: two, hookSeconds: 60}" });
    await step.logged(/Helm runs the/);
    const { temp } = step;
    expect(readdirSync(temp)).toHaveLength(1);
    step.child.kill("SIGKILL");
    await step.finished;
    await until(async () => readdirSync(temp).length === 0);
    expect(processesOf(of)).toEqual([]);
    const next = await dock.release({ release: of, values: "text: three" });
    expect(next.outputs).toMatchObject({ verdict: "passed", "previous-revision": "1" });
    expect(await world(of)).toMatchObject({ last: "deployed", lease: [], text: "three" });
  });
});

/** Command lines of what still runs for a release. */
function processesOf(release: string): readonly string[] {
  return (
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/cmdline`))
      .map((name) => readQuietly(`/proc/${name}/cmdline`))
      .map((line) => line.split("\0"))
      // Other tests may have a release of the same name, in a namespace of theirs.
      .filter((words) => words.includes(release))
      .filter((words) => words.includes(`--namespace=${dock.box.namespace}`))
      .map((words) => words.join(" "))
  );
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

describe("two at once", () => {
  it("are refused the second time where that is asked for, and the first goes on", async () => {
    const of = dock.name();
    const first = await dock.start({ release: of, values: "{text: one, slow: 20}" });
    await first.logged(/is applied/);
    const second = await dock.release({ release: of, values: "text: two", "when-busy": "refuse" });
    expect(second.outputs.cause).toMatch(/is working on the release .*, and renews its lease/);
    expect((await first.finished).outputs.verdict).toBe("passed");
    expect(await dock.text(of)).toBe("one");
  });

  it("does not corrupt what a plain helm does in between", async () => {
    const of = dock.name();
    await dock.release({ release: of, values: "text: one" });
    await dock.helm(
      "upgrade",
      of,
      join(dock.runner.workspace, "chart"),
      "--reuse-values",
      "--set-string",
      "text=plain",
    );
    const broken = await dock.release({ release: of, values: "text: two", images: dock.missing });
    expect(broken.outputs).toMatchObject({ "previous-revision": "2", "rolled-back": "true" });
    expect(await dock.text(of)).toBe("plain");
  });
});

describe("a broken revision that was kept", () => {
  it("is not what a later failure goes back to", async () => {
    const of = dock.name();
    await dock.release({ release: of, values: "text: good" });
    const broken = { release: of, images: dock.missing, values: "text: broken" };
    const kept = await dock.release({ ...broken, "on-failure": "keep" });
    expect(kept.outputs).toMatchObject({ "running-revision": "2", "rolled-back": "false" });
    const again = await dock.release(broken);
    expect(again.outputs).toMatchObject({ "previous-revision": "1", "rolled-back": "true" });
    expect(await dock.text(of)).toBe("good");
  });
});

describe("an API server that goes away", () => {
  it("is waited for, in the middle of a rollout", async () => {
    const of = dock.name();
    let fate: Fate = "pass";
    await using proxy = await faultProxy(dock.box.cluster, () => fate);
    const inputs = { release: of, kubeconfig: proxy.kubeconfig, values: "slow: 4" };
    const step = await dock.start(inputs);
    await step.logged(/is applied/);
    fate = { status: 503 };
    proxy.drop();
    await step.logged(/Waiting for it to come back/);
    fate = "pass";
    const ended = await step.finished;
    expect(ended.outputs).toMatchObject({ verdict: "passed", revision: "1" });
    expect(await dock.leases()).not.toContain(`seaworthy-${of}`);
  });
});

describe("a chart", () => {
  it("may have 500 objects", async () => {
    const of = dock.name();
    const first = await dock.release({ release: of, values: "many: 500", timeout: "5m" });
    expect(first.outputs.verdict).toBe("passed");
    const plan = await dock.release({
      release: of,
      values: "{many: 500, text: two}",
      mode: "plan",
    });
    expect(JSON.parse(plan.outputs.changes ?? "")).toMatchObject({ changed: 501, unchanged: 1 });
    expect(Buffer.byteLength(plan.summary)).toBeLessThan(1024 * 1024);
    await dock.helm("uninstall", of);
  });

  it("may have texts that are hostile, or of any script", async () => {
    const of = dock.name();
    const text = "\\u001b[31m::error::x `a` <b> 船 ⚓ ../..";
    const step = await dock.release({ release: of, values: `text: "${text}"` });
    expect(step.outputs.verdict).toBe("passed");
    expect(step.stdout).not.toMatch(/^::error/m);
    expect(`${step.stdout}${step.summary}`).not.toContain("\u001b");
    expect(await dock.text(of)).toBe("\u001b[31m::error::x `a` <b> 船 ⚓ ../..");
  });

  it("is refused in words when Helm's record cannot hold it", async () => {
    const of = dock.name();
    // Noise, so that it does not compress.
    await dock.runner.write("noise.txt", randomBytes(3_900_000).toString("base64"));
    const step = await dock.release({ release: of, "set-file": "free.noise=noise.txt" });
    expect(step.outputs.cause).toMatch(
      /it keeps chart, values and manifest of a revision in one Secret/,
    );
    expect(await dock.history(of)).toEqual([]);
    expect(await dock.deployment(of)).toBeUndefined();
  });
});
