import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { execute, parseTarget, waitForRollout } from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "./sandbox.ts";

let box: Sandbox;
let pod: string;
const never = new AbortController().signal;

beforeAll(async () => {
  box = await sandbox("exec");
  const { cluster, namespace } = box;
  await cluster.apply(deployment(box, "shell"));
  const deadline = Date.now() + 40_000;
  const targets = [parseTarget("deployment/shell", namespace)];
  await waitForRollout(cluster, targets, { deadline, world: testWorld().world });
  const { items } = await cluster.list({ apiVersion: "v1", kind: "Pod", namespace });
  pod = items[0]?.metadata.name ?? "";
}, 60_000);
afterAll(async () => box?.[Symbol.asyncDispose]());

function run(command: readonly string[], signal = never, container = "main") {
  const { cluster, namespace } = box;
  return execute(cluster, { namespace, pod, container, command }, signal);
}

describe("a command in a container", () => {
  it("gives what it wrote, apart", async () => {
    expect(await run(["sh", "-c", "echo out; echo err >&2"])).toEqual({
      exitCode: 0,
      message: "",
      stdout: "out\n",
      stderr: "err\n",
      truncated: false,
    });
  });

  it("gives its exit code", async () => {
    expect(await run(["sh", "-c", "exit 42"])).toMatchObject({ exitCode: 42 });
  });

  it("gets its arguments as they are: no shell reads them", async () => {
    const words = ["$(id)", "a b", "", "ü&x=1;`ls`", "*"];
    const { stdout } = await run(["sh", "-c", 'for w; do echo "<$w>"; done', "sh", ...words]);
    expect(stdout).toBe(words.map((word) => `<${word}>\n`).join(""));
  });

  it("that is not there is told in the runtime's words", async () => {
    const { exitCode, message } = await run(["no-such-program"]);
    expect(exitCode === undefined || exitCode > 125).toBe(true);
    expect(message).toMatch(/no-such-program.*not found|not found.*no-such-program/s);
  });

  it("may write without end: the beginning is kept", async () => {
    const result = await run(["sh", "-c", "head -c 8000000 /dev/zero | tr '\\0' x"]);
    expect(result).toMatchObject({ exitCode: 0, truncated: true });
    expect(result.stdout).toHaveLength(1024 * 1024);
  }, 30_000);

  it("is left when the signal aborts", async () => {
    const stop = new AbortController();
    const running = run(["sleep", "60"], stop.signal);
    setTimeout(() => stop.abort(new Error("enough")), 300);
    await expect(running).rejects.toThrow("enough");
  });

  it.each<[string, string | undefined, string]>([
    ["container", undefined, "nothing"],
    ["pod", "shell-none", "main"],
  ])("in a %s that does not exist is told at once", async (_, name, container) => {
    const { cluster, namespace } = box;
    const asked = { namespace, pod: name ?? pod, container, command: ["true"] };
    await expect(execute(cluster, asked, never)).rejects.toMatchObject({
      cause: expect.stringMatching(/container nothing is not valid|"shell-none" not found/),
    });
  });
});
