import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";

const MAIN = fileURLToPath(new URL("../../../examples/quickstart/src/main.ts", import.meta.url));

describe("the process", () => {
  it("drains on SIGTERM and exits with 0", async () => {
    const run = start({ DRAIN_SECONDS: "0.3", APP_VERSION: "1.2.3" });
    const url = await run.url;
    run.child.kill("SIGTERM");
    await run.line("draining");
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect((await fetch(`${url}/`)).status).toBe(200);
    expect(await run.exit).toBe(0);
    expect(run.lines[0]).toMatch(/^quickstart 1\.2\.3 listens on port \d+$/);
    expect(run.lines.at(-1)).toBe("stopped: every request was answered");
  });

  it("stops at once on Ctrl-C", async () => {
    const run = start({ DRAIN_SECONDS: "60" });
    await run.url;
    run.child.kill("SIGINT");
    expect(await run.exit).toBe(0);
  });

  it("crashes on request, with the cause in its last line", async () => {
    const run = start({ FAULT_CRASH_AT_START: "true" });
    expect(await run.exit).toBe(1);
    expect(run.lines).toEqual([
      "fatal: cannot read configuration: FEATURE_FLAGS is not valid JSON",
    ]);
  });

  it("refuses bad settings", async () => {
    const run = start({ FAULT_ERROR_RATE: "2", DRAIN_SECONDS: "soon" });
    expect(await run.exit).toBe(1);
    expect(run.lines).toEqual([
      'fatal: cannot start: DRAIN_SECONDS must be a number from 0 to 300, but is "soon"; ' +
        'FAULT_ERROR_RATE must be a number from 0 to 1, but is "2"',
    ]);
  });
});

interface Run {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  readonly url: Promise<string>;
  readonly exit: Promise<number | null>;
  /** Resolves to the first line that contains the text. */
  line(text: string): Promise<string>;
}

function start(environment: Record<string, string>): Run {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...environment, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const waiting: { text: string; found: (line: string) => void }[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      lines.push(line);
      for (const { text, found } of waiting) {
        if (line.includes(text)) {
          found(line);
        }
      }
    });
  }
  const line = (text: string): Promise<string> =>
    new Promise((found) => {
      waiting.push({ text, found });
    });
  const url = line("listens on port").then((text) => `http://127.0.0.1:${text.split(" ").at(-1)}`);
  return { child, lines, url, line, exit: once(child, "close").then(([code]) => code) };
}
