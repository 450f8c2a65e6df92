import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { runStep, type Step } from "../../runner/index.ts";
import type { MODES } from "./probe/inputs.ts";

const main = join(import.meta.dirname, "probe", "main.ts");

type Mode = (typeof MODES)[number];
type Setting = Parameters<typeof runStep>[1];

function probe(mode: Mode, { inputs, ...setting }: NonNullable<Setting> = {}): Promise<Step> {
  return runStep(main, { inputs: { mode, ...inputs }, ...setting });
}

const errorsOf = ({ commands }: Step) => commands.filter(({ name }) => name === "error");

describe("a step that passes", () => {
  it("ends with 0, its outputs and its summary", async () => {
    const step = await probe("pass");
    expect(step).toMatchObject({ exitCode: 0, summary: "## ✅ proved\n", stderr: "" });
    expect(step.outputs).toEqual({
      verdict: "passed",
      cause: "",
      digest: "sha256:abc",
      report: '{"pods":3}',
    });
    expect(step.commands).toEqual([]);
  });

  it("does not pass its inputs on to the programs it runs", async () => {
    const step = await probe("print-environment", { inputs: { token: "tops3cret-1" } });
    expect(step.stdout).toContain("GITHUB_OUTPUT=");
    expect(step.stdout).not.toContain("INPUT_");
  });
});

describe("a step that fails", () => {
  it("tells it as an annotation, in the log, the outputs and the summary", async () => {
    const step = await probe("fail");
    expect(step.exitCode).toBe(1);
    expect(errorsOf(step)).toEqual([
      {
        name: "error",
        properties: { title: "The rollout failed" },
        message: "Pod web-1 crashes: exit status 3.\nMend the program.",
      },
    ]);
    expect(step.outputs).toEqual({
      verdict: "failed",
      cause: "Pod web-1 crashes: exit status 3.",
      digest: "sha256:abc",
      report: '{"pods":3}',
    });
    expect(step.summary).toMatch(/^## ❌ probe: The rollout failed\n[\s\S]*line one\nline two/);
    expect(step.lines).toEqual(expect.arrayContaining(["line one", "line two"]));
    expect(`${step.stdout}${step.stderr}`).not.toMatch(/^\s+at /m);
  });

  it("keeps the summary of its own and completes it", async () => {
    const { summary } = await probe("fail-with-summary");
    expect(summary).toMatch(/^## ❌ a table\n\n### ❌ The rollout failed\n/);
  });

  it("may have thrown its failure", async () => {
    const step = await probe("throw-user-error");
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause).toBe("Pod web-1 crashes: exit status 3.");
    expect(step.outputs.digest).toBe("");
  });

  it("names all that is wrong with its inputs", async () => {
    const step = await runStep(main, { inputs: { repicas: "4", timeout: "5", atomic: "ja" } });
    expect(step.exitCode).toBe(1);
    expect(step.outputs.cause?.split("\n").map((line) => line.split(":")[0])).toEqual([
      "repicas",
      "mode",
      "timeout",
      "atomic",
    ]);
    expect(step.stdout).toContain("did you mean replicas?");
    expect(step.summary).toContain("did you mean replicas?");
  });
});

describe("a step that meets a bug of ours", () => {
  it.each<[Mode, RegExp]>([
    ["throw-error", /an invariant is broken: the deeper reason/],
    ["throw-undefined", /undefined/],
    ["throw-null", /null/],
    ["throw-object", /\{\}/],
    ["throw-hostile", /cannot be described/],
    ["reject-unawaited", /undefined/],
    ["throw-in-timer", /thrown in a timer/],
    ["never-settle", /waits for what never comes/],
    ["leave", /ended from within/],
    ["no-outcome", /undefined/],
    ["plain-error-as-failure", /not for users/],
    ["cyclic-output", /circular/],
  ])("%s", async (mode, words) => {
    const step = await probe(mode, {
      environment: { GITHUB_ACTION_REPOSITORY: "owner/name", GITHUB_SERVER_URL: "https://ghe" },
    });
    expect(step.exitCode).toBe(1);
    const errors = errorsOf(step);
    expect(errors.map(({ properties }) => properties.title)).toEqual(["A bug in probe"]);
    expect(errors[0]?.message).toMatch(words);
    expect(errors[0]?.message).toMatch(/report it at https:\/\/ghe\/owner\/name\/issues/);
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toMatch(words);
    expect(Object.keys(step.outputs)).toEqual(["verdict", "cause", "digest", "report"]);
    expect(step.summary).toMatch(/^## ❌ probe: A bug in probe\n/);
    expect(step.milliseconds).toBeLessThan(4_000);
  });

  it("shows the stack trace, with that of the cause", async () => {
    const { stdout } = await probe("throw-error");
    expect(stdout).toMatch(/^ +at .*probe\.ts:/m);
    expect(stdout).toMatch(/the deeper reason/);
  });

  it("stops the use case and lets it put things right first", async () => {
    const { lines } = await probe("throw-in-timer");
    expect(lines).toContain("put right after a stray error");
  });
});

describe("a step that is cancelled", () => {
  /** Sends SIGINT when the probe has begun, and SIGTERM 700 ms later. */
  const cancelled = (mode: Mode, name: NodeJS.Signals = "SIGINT") => {
    let at = 0;
    return probe(mode, {
      onLine: (line, child) => {
        if (!line.startsWith("the probe begins")) return;
        at = performance.now();
        child.kill(name);
        setTimeout(() => child.kill("SIGTERM"), 700).unref();
      },
    }).then((step) => ({ ...step, sinceSignal: performance.now() - at }));
  };

  it.each<[Mode, NodeJS.Signals, string, string]>([
    ["wait", "SIGINT", "The job was cancelled (SIGINT) before the work was done.", ""],
    ["wait", "SIGTERM", "The job was cancelled (SIGTERM) before the work was done.", ""],
    ["wait-and-heal", "SIGINT", "The upgrade was cancelled; revision 3 was put back.", "healed"],
    [
      "wait-and-break",
      "SIGINT",
      "The job was cancelled (SIGINT) before the work was done. It broke off: This operation was aborted.",
      "",
    ],
    [
      "wait-and-throw-stray",
      "SIGINT",
      "The job was cancelled (SIGINT) before the work was done.",
      "healed all the same",
    ],
    ["finish-in-spite", "SIGINT", "The job was cancelled (SIGINT) before the work was done.", ""],
  ])("%s by %s", async (mode, name, cause, line) => {
    const step = await cancelled(mode, name);
    expect(step).toMatchObject({ exitCode: 1, signal: null });
    expect(step.outputs.verdict).toBe("cancelled");
    expect(step.outputs.cause).toBe(cause);
    expect(errorsOf(step).map(({ message }) => message.split("\n")[0])).toEqual([cause]);
    expect(step.summary).toMatch(/^## ❌ probe: Cancelled/);
    if (line !== "") expect(step.lines).toContain(line);
    expect(step.sinceSignal).toBeLessThan(3_000);
  });

  it("shows what breaks meanwhile, and is not cut short by it", async () => {
    const { lines } = await cancelled("wait-and-throw-stray");
    const shown = lines.indexOf("::group::Also seen");
    expect(shown).toBeGreaterThan(0);
    expect(lines[shown + 1]).toBe("Error: a stray one");
    expect(lines.indexOf("healed all the same")).toBeGreaterThan(shown);
  });

  it("has 5 s to put things right, and no more", async () => {
    const step = await cancelled("ignore-cancellation");
    expect(step).toMatchObject({ exitCode: 1, signal: null });
    expect(step.sinceSignal).toBeGreaterThan(4_900);
    // The runner would kill it 10 s after its first signal.
    expect(step.sinceSignal).toBeLessThan(7_500);
    expect(step.outputs.verdict).toBe("cancelled");
    expect(step.outputs.cause).toMatch(/took longer than 5 s/);
    expect(step.summary).toMatch(/not put right in time/);
  }, 20_000);
});

describe("text of a user's", () => {
  it.each([
    "::error::forged",
    "\r::set-output name=verdict::passed",
    "x\n::add-mask::x\n##[error]x",
    "%0A::error::x, title=y:z",
    "\u2028##[group]x",
    "a\nverdict<<EOF\npassed\nEOF\nverdict=passed",
  ])("%j forges nothing", async (text) => {
    const step = await probe("forge", { inputs: { "user-text": text.trim() } });
    const shown = (names: readonly string[]) =>
      step.commands.map(({ name }) => name).filter((name) => !names.includes(name));
    expect(shown(["debug", "warning", "group", "endgroup", "error"])).toEqual([]);
    expect(errorsOf(step)).toHaveLength(1);
    expect(errorsOf(step)[0]?.properties.line).toBe("3");
    expect(Object.keys(step.outputs)).toEqual(["verdict", "cause", "digest", "report"]);
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.digest).toBe(text.trim());
  });
});

describe("a secret", () => {
  const token = "tops3cret_*a|b`c<d";

  it("is masked before the first line, and shown nowhere", async () => {
    const step = await probe("leak", { inputs: { token } });
    expect(step.commands[0]).toMatchObject({ name: "add-mask", message: token });
    const begins = step.lines.findIndex((line) => line.startsWith("the probe begins"));
    const masks = step.lines.map((line) => line.startsWith("::add-mask::"));
    expect(masks.indexOf(false)).toBe(begins);
    const after = step.lines.slice(begins).join("\n");
    for (const text of [after, step.summary, ...Object.values(step.outputs)]) {
      expect(text).not.toMatch(/tops3|s3cret/);
      expect(text).not.toContain(Buffer.from(token).toString("base64").slice(2, 14));
    }
    expect(step.outputs.digest).toBe("***");
    expect(step.outputs.report).toBe('{"token":"***"}');
  });

  it("is masked when its input is wrong, and when another one is", async () => {
    const step = await runStep(main, { inputs: { token, replicas: token } });
    const after = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    expect(`${after}${step.summary}${Object.values(step.outputs)}`).not.toMatch(/tops3|s3cret/);
  });

  it("of several lines is masked line by line", async () => {
    const lines = ["-----BEGIN KEY-----", "abcdefghijklmnop", "-----END KEY-----"];
    const step = await probe("leak", { inputs: { token: lines.join("\n") } });
    const after = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    expect(after).not.toContain("abcdefghijklmnop");
    expect(`${step.summary}${Object.values(step.outputs)}`).not.toContain("abcdefghijklmnop");
  });

  it("that turns up later is masked from then on", async () => {
    const step = await probe("leak-late", { inputs: { "user-text": "found-later-1" } });
    const after = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    expect(`${after}${step.summary}${Object.values(step.outputs)}`).not.toContain("found-later");
  });
});

describe("a runner with faults of its own", () => {
  it("a summary beyond 1 MiB is cut, not lost", async () => {
    const { summary, exitCode } = await probe("huge-summary");
    expect(exitCode).toBe(0);
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(1024 * 1024);
    expect(summary).toMatch(/The rest is left out/);
  });

  it.each([
    ["GITHUB_OUTPUT", "The outputs could not be written"],
    ["GITHUB_STEP_SUMMARY", "The job summary could not be written"],
  ])("%s that cannot be written fails the step and says so", async (variable, title) => {
    const step = await probe("pass", { environment: { [variable]: "/no/such/folder/file" } });
    expect(step.exitCode).toBe(1);
    expect(errorsOf(step).map(({ properties }) => properties.title)).toEqual([title]);
    expect(errorsOf(step)[0]?.message).toMatch(/ENOENT.*\/no\/such\/folder\/file/);
  });

  it("no files at all: the exit status and the log are what is left", async () => {
    const environment = { GITHUB_OUTPUT: undefined, GITHUB_STEP_SUMMARY: undefined };
    expect(await probe("pass", { environment })).toMatchObject({ exitCode: 0, stderr: "" });
    const failed = await probe("fail", { environment });
    expect(failed.exitCode).toBe(1);
    expect(errorsOf(failed)).toHaveLength(1);
  });

  it.each<[Mode, number, string]>([
    ["pass", 0, "passed"],
    ["talk", 0, "passed"],
    ["fail", 1, "failed"],
  ])("a log that nobody reads changes nothing else: %s", async (mode, exitCode, verdict) => {
    const step = await probe(mode, {
      onLine: (_, child) => {
        child.stdout?.destroy();
      },
    });
    expect(step.exitCode).toBe(exitCode);
    expect(step.outputs.verdict).toBe(verdict);
  });
});
