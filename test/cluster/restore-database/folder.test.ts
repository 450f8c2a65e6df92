import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { bundleOf, failureOf, Runner, runStep, type Step, startStep } from "../../runner/index.ts";

const RESTORE = bundleOf("restore-database");
let runner: Runner;
let target: string;
let original: string;

function sh(script: string): string {
  return execFileSync("sh", ["-c", script], { encoding: "utf8", cwd: runner.folder });
}

beforeAll(async () => {
  runner = await Runner.create();
  sh(`mkdir -p source/deep && cd source && head -c 300000 /dev/urandom > weights.bin && ln weights.bin same
    ln -s deep/a current; ln -s /etc/passwd out; echo a > deep/a; mkdir -m 555 closed; : > empty; chmod 0 empty
    chmod 4750 weights.bin; chown 1000:1500000000 deep/a; mkfifo pipe; touch -d 2020-01-02 deep current -h
    head -c 60000000 /dev/zero > zeros`);
  original = look("source");
  const inputs = { ...common(), source: join(runner.folder, "source") };
  const { exitCode, stdout } = await runStep(bundleOf("backup-database"), { inputs, runner });
  if (exitCode !== 0) throw new Error(stdout);
}, 30_000);
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  target = join(runner.folder, "place", "models");
  sh("rm -rf place && mkdir -p place/models && cd place/models && echo mine > mine");
});

function common(): Record<string, string> {
  return { name: "models", storage: "kept" };
}

/** All that a person would look at. */
function look(at: string): string {
  return sh(
    `cd ${at} && rm -f pipe && find . -printf '%P %y %m %U:%G %Ts %l %n\\n' | sort && find . -type f -exec sha256sum {} + | sort`,
  );
}

async function restore(inputs: Readonly<Record<string, string>> = {}): Promise<Step> {
  return await runStep(RESTORE, { inputs: { ...common(), target, ...inputs }, runner });
}

function beside(): string {
  return sh("ls -A place")
    .trim()
    .replace(/\d{8}T\d{6}Z/g, "TIME");
}

it("is whole, with links, modes, owners and times, and keeps what was there", async () => {
  const refused = await restore();
  expect(failureOf(refused)).toContain("holds mine, and replace is not given");
  const { outputs } = await restore({ replace: target });
  expect(outputs).toMatchObject({ verdict: "passed", cause: "" });
  expect(look(target)).toBe(original);
  expect(beside()).toBe("models\nmodels.before-TIME");
  expect(outputs["previous-folder"]).toContain("models.before-");
}, 20_000);

it("of some members leaves all else, and writes through no link", async () => {
  sh("cd place/models && mkdir deep && echo b > deep/b && ln -s / elsewhere");
  const { outputs } = await restore({ paths: "deep\nsame", replace: target });
  expect(outputs).toMatchObject({ verdict: "passed", cause: "" });
  expect(sh("cd place/models && ls -A . deep && cat deep/a mine")).toBe(
    ".:\ndeep\nelsewhere\nmine\nsame\n\ndeep:\na\na\nmine\n",
  );
  // What was there is in a backup, which has only that.
  const former = join(runner.folder, "former");
  const back = { name: "models-before-restore", backup: outputs["previous-backup"] ?? "" };
  expect((await restore({ ...back, target: former })).outputs.cause).toBe("");
  expect(sh("cd former && find . | sort")).toBe(".\n./deep\n./deep/b\n");
  sh("cd place/models && rm -r deep && ln -s /tmp deep");
  expect(failureOf(await restore({ paths: "deep/a" }))).toContain(
    "a link, which may lead elsewhere",
  );
}, 25_000);

it("says who else restores it; what a killed run left is removed, and a cancelled one leaves nothing", async () => {
  const inputs = { ...common(), target, replace: target, "backup-before": "false" };
  const killed = await startStep(RESTORE, { inputs, runner });
  await killed.logged(/Restoring folder/);
  killed.child.kill("SIGSTOP");
  const second = await restore(inputs);
  killed.child.kill("SIGKILL");
  await killed.finished;
  expect(failureOf(second)).toContain("models is being restored by seaworthy since");
  expect(beside()).toBe(".models.seaworthy-restore\nmodels");
  const cancelled = await startStep(RESTORE, { inputs, runner });
  await cancelled.logged(/Restoring folder/);
  cancelled.child.kill("SIGTERM");
  expect((await cancelled.finished).outputs.verdict).toBe("cancelled");
  expect(sh("cat place/models/mine")).toBe("mine\n");
  expect(beside()).toBe("models");
  const done = await restore({ ...inputs, method: "in-place" });
  expect(done.outputs).toMatchObject({ verdict: "passed", cause: "" });
  expect(sh("ls -A place/models")).not.toMatch(/mine|seaworthy/);
}, 30_000);

it("on a disk that fills up in the middle, or a mount, leaves all as it was", async () => {
  sh("mount -t tmpfs -o size=150m none place/models && echo mine > place/models/mine");
  try {
    const mount = await restore({ replace: target });
    expect(failureOf(mount)).toContain("Give method: in-place");
    const inputs = { ...common(), target, replace: target, method: "in-place" };
    const running = await startStep(RESTORE, { inputs, runner });
    await running.logged(/Restoring folder/);
    running.child.kill("SIGSTOP");
    fill(join(target, "mine-too"));
    running.child.kill("SIGCONT");
    const full = await running.finished;
    expect(failureOf(full)).toContain("There is no room for what is restored");
    expect(sh("ls -A place/models && cat place/models/mine")).toBe("mine\nmine-too\nmine\n");
    const early = await restore({ ...inputs, "backup-before": "false" });
    expect(failureOf(early)).toMatch(/60.* are to be restored, and .* are free/);
  } finally {
    sh("umount place/models");
  }
}, 30_000);

it("is refused where it would harm or cannot be", async () => {
  mkdirSync(join(runner.folder, "file"), { recursive: true });
  writeFileSync(join(runner.folder, "file", "file"), "x");
  const cases: [Record<string, string>, RegExp][] = [
    [{ replace: "/srv" }, /Look again which folder is meant/],
    [{ target: "/" }, /root of the file system/],
    [{ target: "s3://bucket/x" }, /names no folder/],
    [{ target: join(runner.folder, "file/file") }, /is no folder/],
    [{ target: "." }, /the report|the workspace|the backups/],
    [{ paths: "nothing-like-it" }, /Nothing in the backup/],
  ];
  const steps = await Promise.all(cases.map(([inputs]) => restore(inputs)));
  for (const [index, [, expected]] of cases.entries()) {
    expect(steps[index]?.outputs.cause ?? "").not.toBe("");
    expect(failureOf(steps[index] as Step)).toMatch(expected);
  }
  expect(beside()).toBe("models");
}, 20_000);

/** Takes all the room that there is. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (;;) writeSync(file, Buffer.alloc(1 << 20));
  } catch {
    // There is no more.
  } finally {
    closeSync(file);
  }
}
