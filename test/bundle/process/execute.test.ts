import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "@jest/globals";
import {
  type Command,
  CommandFailed,
  type Completed,
  type Execution,
  execute,
} from "../../../shared/process/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

const folder = mkdtempSync(join(tmpdir(), "execute-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Extra = Partial<Execution> & Partial<Command>;

/** Runs a script of Node.js. */
function script(source: string, extra: Extra = {}): Promise<Completed> {
  return program(process.execPath, ["-e", source], extra);
}

function program(name: string, args: readonly string[], extra: Extra = {}): Promise<Completed> {
  const { directory, environment, input, ...execution } = extra;
  return execute(
    { program: name, args, directory, environment, input },
    { signal: new AbortController().signal, secrets: new Secrets(), ...execution },
  );
}

async function failureOf(completed: Promise<Completed>): Promise<CommandFailed> {
  const error = await completed.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof CommandFailed) return error;
  throw error ?? new Error("it did not fail");
}

/** Waits until a process is gone; a zombie of another parent's counts as gone. */
async function gone(pid: number): Promise<boolean> {
  const state = () => {
    try {
      return /^\d+ \(.*\) (.)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
    } catch {
      return undefined;
    }
  };
  for (let tries = 0; tries < 100; tries += 1) {
    if (state() === undefined || state() === "Z") return true;
    await delay(20);
  }
  return false;
}

describe("a program that ends well", () => {
  it("gives its output back, with every argument as it was", async () => {
    const args = ["a b", "$(id)", ";|&", "'\"`", "*", "", "-x", "ä😀"];
    const { stdout } = await program(process.execPath, [
      "-e",
      "console.log(JSON.stringify(process.argv.slice(1)))",
      "--",
      ...args,
    ]);
    expect(JSON.parse(stdout)).toEqual(args);
  });

  it("reads its input, or does not", async () => {
    const echo = await script("process.stdin.pipe(process.stdout)", { input: "some input" });
    expect(echo.stdout).toBe("some input");
    const deaf = await script("process.stdin.destroy()", { input: "x".repeat(5_000_000) });
    expect(deaf.stdout).toBe("");
    const none = await script("process.stdin.on('end', () => console.log('over')).resume()");
    expect(none.stdout).toBe("over\n");
  });

  it("has characters that its chunks cut", async () => {
    const lines: string[] = [];
    const source = `const b = Buffer.from("ä😀\\n".repeat(3)); (async () => {
      for (const byte of b) { process.stdout.write(Buffer.from([byte])); await new Promise(setImmediate); }
    })()`;
    const { stdout } = await script(source, { onLine: (line) => lines.push(line) });
    expect(stdout).toBe("ä😀\n".repeat(3));
    expect(lines).toEqual(["ä😀", "ä😀", "ä😀"]);
  });

  it("may end in the midst of a character", async () => {
    const lines: string[] = [];
    const source = `process.stdout.write(Buffer.from("a😀").subarray(0, 3))`;
    const { stdout } = await script(source, { onLine: (line) => lines.push(line) });
    expect([stdout, ...lines]).toEqual(["a\ufffd", "a\ufffd"]);
  });

  it("keeps only the end where only that is wanted", async () => {
    const source = "for (let i = 0; i < 100000; i++) console.log(i)";
    expect((await script(source, { keep: 12 })).stdout).toBe("99998\n99999\n");
  });

  it("gets variables, and loses those that are undefined", async () => {
    const { stdout } = await script("console.log(process.env.A, process.env.HOME)", {
      environment: { A: "a", HOME: undefined },
    });
    expect(stdout).toBe("a undefined\n");
  });

  it("does not wait for what left its group and holds its output open", async () => {
    const source = `const { spawn } = require("node:child_process");
      console.log(spawn("sleep", ["20"], { detached: true, stdio: "inherit" }).pid); process.exit(0)`;
    const { stdout, milliseconds } = await script(source);
    expect(milliseconds).toBeLessThan(5_000);
    process.kill(Number(stdout));
  });

  it("does not wait for what it left behind, and ends it", async () => {
    const source = `const { pid } = require("node:child_process").spawn("sleep", ["60"], { stdio: "inherit" });
      console.log(pid); process.exit(0)`;
    const { stdout, milliseconds } = await script(source);
    expect(milliseconds).toBeLessThan(5_000);
    expect(await gone(Number(stdout))).toBe(true);
  });
});

describe("a program that cannot be started", () => {
  const plain = join(folder, "plain");
  writeFileSync(plain, "echo");
  const orphaned = join(folder, "orphaned");
  writeFileSync(orphaned, "#!/no/such/interpreter\n");
  chmodSync(orphaned, 0o755);

  it.each<[string, string, readonly string[], Extra, string, RegExp]>([
    ["absent", "no-such-program", [], {}, "not-found", /no-such-program was not found on the PATH/],
    ["absent path", "/no/such", [], {}, "not-found", /\/no\/such does not exist/],
    [
      "folder",
      "env",
      [],
      { directory: "/no/dir" },
      "not-startable",
      /directory \/no\/dir does not/,
    ],
    ["folder is a file", "env", [], { directory: plain }, "not-startable", /is no directory/],
    ["interpreter", orphaned, [], {}, "not-startable", /the interpreter that .* names is missing/],
    ["not executable", plain, [], {}, "not-startable", /may not be executed/],
    ["NUL", "env", ["a\0b"], {}, "not-startable", /NUL/],
    ["too long", "env", ["x".repeat(3_000_000)], {}, "not-startable", /too long/],
    ["empty PATH", "sleep", [], { environment: { PATH: folder } }, "not-found", /not found/],
  ])("%s", async (_, name, args, extra, why, message) => {
    const failure = await failureOf(program(name, args, extra));
    expect(failure.why).toBe(why);
    expect(failure.message).toMatch(message);
  });
});

describe("a program that fails", () => {
  it("is told by its status and the ends of its output", async () => {
    const source = "console.log('out'); console.error('err'); process.exitCode = 3";
    const failure = await failureOf(script(source));
    expect(failure).toMatchObject({
      why: "exit",
      exitCode: 3,
      stdoutTail: "out\n",
      stderrTail: "err\n",
    });
    expect(failure.message).toMatch(/ended with exit status 3/);
  });

  it("is told by the signal that killed it", async () => {
    const failure = await failureOf(script("process.kill(process.pid, 'SIGKILL')"));
    expect(failure).toMatchObject({ why: "signal", killedBy: "SIGKILL", exitCode: undefined });
  });

  it("shows no secret, also where its output is cut", async () => {
    const secrets = new Secrets();
    const secret = "tops3cret-tops3cret";
    secrets.add(secret);
    for (const padding of [0, 16_375, 16_384, 32_750, 32_768, 65_530]) {
      const source = `process.stderr.write("y" + process.env.S + "x".repeat(${padding})); process.exitCode = 1`;
      const failure = await failureOf(script(source, { secrets, environment: { S: secret } }));
      expect(failure.stderrTail).not.toMatch(/tops3|cret/);
      expect(failure.stderrTail.length).toBeLessThanOrEqual(16_384);
    }
    const told = await failureOf(program("no-such", [`--password=${secret}`], { secrets }));
    expect(told.commandLine).toBe("no-such --password=***");
  });

  it("is one that prints more than is kept", async () => {
    const source =
      "const b = Buffer.alloc(1 << 20, 97); const f = () => process.stdout.write(b, f); f()";
    const before = process.memoryUsage().rss;
    const failure = await failureOf(script(source));
    expect(failure.why).toBe("output");
    expect(process.memoryUsage().rss - before).toBeLessThan(600 * 2 ** 20);
  });

  it("is one whose listener throws", async () => {
    const listener = () => {
      throw new RangeError("no such line");
    };
    const running = script("console.log(1); setInterval(() => {}, 1000)", { onLine: listener });
    await expect(running).rejects.toThrow("no such line");
  });
});

describe("a program that is ended", () => {
  const stubborn = `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")`;

  it("at its deadline", async () => {
    const failure = await failureOf(program("sleep", ["60"], { deadline: 100 }));
    expect(failure).toMatchObject({ why: "deadline", killedBy: "SIGTERM" });
    expect(failure.message).toMatch(/after 0.1 s, its deadline/);
  });

  it("by force where it does not listen, with all that it started", async () => {
    const controller = new AbortController();
    let child = 0;
    const source = `const { pid } = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(stubborn)}], { stdio: ["ignore", "inherit", "inherit"] });
      console.log("pid", pid); ${stubborn}`;
    let ups = 0;
    const failure = await failureOf(
      script(source, {
        signal: controller.signal,
        onLine: (line) => {
          if (line.startsWith("pid ")) child = Number(line.slice(4));
          if (line === "up") ups += 1;
          if (ups === 2) controller.abort();
        },
      }),
    );
    expect(failure).toMatchObject({ why: "cancelled", killedBy: "SIGKILL" });
    expect(failure.milliseconds).toBeLessThan(8_000);
    expect(await gone(child)).toBe(true);
  }, 20_000);

  it("at once where nothing that it does is worth an orderly end", async () => {
    const controller = new AbortController();
    const onLine = () => controller.abort();
    const running = script(stubborn, { signal: controller.signal, abrupt: true, onLine });
    const failure = await failureOf(running);
    expect(failure).toMatchObject({ why: "cancelled", killedBy: "SIGKILL" });
    expect(failure.milliseconds).toBeLessThan(2_900);
  });

  it("counts as cancelled also when it then ends with status 0", async () => {
    const controller = new AbortController();
    const polite = `process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000); console.log("up")`;
    const running = script(polite, { signal: controller.signal, onLine: () => controller.abort() });
    expect((await failureOf(running)).why).toBe("cancelled");
  });

  it("is not even started after a cancellation", async () => {
    const reason = new Error("stopped before");
    const running = program("env", [], { signal: AbortSignal.abort(reason) });
    await expect(running).rejects.toBe(reason);
  });

  it("when this process ends", async () => {
    const source = `
      import { execute } from ${JSON.stringify(join(import.meta.dirname, "../../../shared/process/index.ts"))};
      import { Secrets } from ${JSON.stringify(join(import.meta.dirname, "../../../shared/secrets/index.ts"))};
      const onLine = (line) => { console.log(line); process.exit(0); };
      const signal = new AbortController().signal;
      await execute({ program: "sh", args: ["-c", "echo $$; exec sleep 60"] }, { signal, secrets: new Secrets(), onLine });
    `;
    const file = join(folder, "leaver.mts");
    writeFileSync(file, source);
    const { stdout } = await program(process.execPath, [file]);
    expect(Number(stdout)).toBeGreaterThan(1);
    expect(await gone(Number(stdout))).toBe(true);
  });
});
