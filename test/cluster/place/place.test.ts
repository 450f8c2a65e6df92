import { createHash } from "node:crypto";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parseTarget, waitForRollout } from "../../../shared/kubernetes/index.ts";
import {
  findPod,
  localPlace,
  outputOf,
  type Place,
  podPlace,
  type Running,
} from "../../../shared/place/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";

let box: Sandbox;
const places: Record<string, Place> = { local: localPlace(new Secrets()) };
const never = new AbortController().signal;

beforeAll(async () => {
  box = await sandbox("place");
  const { cluster, namespace } = box;
  await cluster.apply(deployment(box, "shell"));
  const deadline = Date.now() + 40_000;
  const targets = [parseTarget("deployment/shell", namespace)];
  await waitForRollout(cluster, targets, { deadline, world: testWorld().world });
  const secrets = new Secrets();
  secrets.add("correct-horse");
  const where = await findPod(cluster, { namespace, target: "deployment/shell" });
  places.pod = podPlace(cluster, where, secrets);
}, 60_000);
afterAll(async () => box?.[Symbol.asyncDispose]());

function at(name: string): Place {
  const place = places[name];
  if (place === undefined) throw new Error(`no place ${name}`);
  return place;
}

async function textOf({ stdout }: Running): Promise<string> {
  let text = "";
  for await (const chunk of stdout) text += chunk;
  return text;
}

/** Process ids of `sleep` with that argument, where the place is. */
async function sleepers(place: Place, seconds: string): Promise<string> {
  const script = `(ps -eo args 2> /dev/null || ps -o args) | grep "^sleep ${seconds}"; true`;
  return textOf(await place.start({ program: "sh", args: ["-c", script] }, never));
}

describe.each(["local", "pod"])("a program at the %s", (name) => {
  it("gets arguments and environment as they are, and tells how it ended", async () => {
    const environment = { WORD: `a "b" $(id) 'c' \\` };
    const args = ["-c", 'echo "$WORD" "$1"; echo woe >&2; exit 3', "sh", "$x *"];
    const running = await at(name).start({ program: "sh", args, environment }, never);
    expect(await textOf(running)).toBe(`${environment.WORD} $x *\n`);
    expect(await running.ended).toMatchObject({ exitCode: 3, stderr: "woe\n" });
  });

  it("that is not there is told at once", async () => {
    await expect(at(name).start({ program: "no-such", args: [] }, never)).rejects.toMatchObject({
      title: "no-such cannot be run",
      cause: expect.stringContaining("was not found on the PATH"),
    });
  });

  it("takes as much input as it is given, and gives all of its output", async () => {
    const bytes = Buffer.alloc(1 << 20, "0123456789");
    const sum = createHash("sha256");
    for (let i = 0; i < 20; i += 1) sum.update(bytes);
    const running = await at(name).start({ program: "cat", args: [], input: true }, never);
    const content = Readable.from(Array.from({ length: 20 }, () => bytes));
    const [back] = await Promise.all([
      sumOf(outputOf(running, ({ message }) => new Error(message))),
      pipeline(content, running.stdin),
    ]);
    expect(back).toBe(sum.digest("hex"));
  }, 20_000);

  it("waits for who reads it", async () => {
    const script =
      "i=0; while [ $i -lt 9 ]; do head -c 1000000 /dev/zero; i=$((i+1)); done; echo over >&2";
    const running = await at(name).start({ program: "sh", args: ["-c", script] }, never);
    let over = false;
    void running.ended.then(() => {
      over = true;
    });
    await once(running.stdout, "readable");
    await delay(300);
    expect(over).toBe(false);
    expect((await textOf(running)).length).toBe(9_000_000);
    expect(await running.ended).toMatchObject({ exitCode: 0, stderr: "over\n" });
  }, 20_000);

  it.each<[string, (running: Running, stop: AbortController) => void]>([
    ["when it is asked to", (running) => running.end()],
    ["with the signal", (_, stop) => stop.abort(new Error("enough"))],
  ])("ends %s, with what it started", async (_, end) => {
    const stop = new AbortController();
    const seconds = `${100_000 + Math.floor(Math.random() * 800_000)}`;
    const args = ["-c", `sleep ${seconds} & echo up; sleep ${seconds}`];
    const running = await at(name).start({ program: "sh", args }, stop.signal);
    await once(running.stdout, "data");
    expect(await sleepers(at(name), seconds)).not.toBe("");
    end(running, stop);
    expect((await running.ended).exitCode).not.toBe(0);
    expect(await sleepers(at(name), seconds)).toBe("");
  });

  it("whose output ends early fails whoever reads it as whole", async () => {
    const args = ["-c", "echo half; exit 4"];
    const running = await at(name).start({ program: "sh", args }, never);
    const output = outputOf(running, ({ exitCode }) => new Error(`status ${exitCode}`));
    await expect(sumOf(output)).rejects.toThrow("status 4");
  });
});

async function sumOf(content: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of content) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

describe("a program in a pod", () => {
  it("shows no secret of its environment to who lists processes, nor in what it says", async () => {
    const script = "cat /proc/*/cmdline | tr '\\0' ' ' | grep -c 'correct-h[o]rse'; echo $WORD >&2";
    const running = await at("pod").start(
      { program: "sh", args: ["-c", script], environment: { WORD: "correct-horse" } },
      never,
    );
    expect((await textOf(running)).trim()).toBe("0");
    expect((await running.ended).stderr).toBe("***\n");
  });

  it("is found by labels and by names, which are checked", async () => {
    const { cluster, namespace } = box;
    const found = await findPod(cluster, { namespace, target: "app=shell" });
    expect(found).toMatchObject({ namespace, container: "main" });
    expect(await findPod(cluster, { namespace, target: found.pod })).toEqual(found);
    const wrong = [
      [{ target: "deployment/shel" }, /no Deployment shel; did you mean shell\?/],
      [{ target: "app=nothing" }, /selects no pod/],
      [{ target: "cronjob/x" }, /names no pod/],
      [{ target: "deployment/shell", container: "mian" }, /no container mian; did you mean main\?/],
    ] as const;
    for (const [settings, cause] of wrong) {
      await expect(findPod(cluster, { namespace, ...settings })).rejects.toThrow(cause);
    }
  });
});
