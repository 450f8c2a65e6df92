import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { commitTime } from "../../../shared/image-tags/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

const COMMITTED = 1_577_836_798;
const nothing = { sourceDateEpoch: undefined, timestamp: undefined };

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "commit-time-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function git(directory: string, ...args: readonly string[]): string {
  const date = `${COMMITTED} +0300`;
  const env = { ...process.env, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: "1500000000 +0000" };
  const identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
  return execFileSync("git", [...identity, ...args], {
    cwd: directory,
    env,
    encoding: "utf8",
  }).trim();
}

/** A repository with one commit. */
function repository(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  git(path, "init", "-q");
  git(path, "commit", "-q", "--allow-empty", "-m", "first");
  return path;
}

function ask(workspace: string, given: Parameters<typeof commitTime>[1] = nothing) {
  const { signal } = new AbortController();
  return commitTime(workspace, given, { signal, secrets: new Secrets() });
}

describe("the time of the commit in the workspace", () => {
  test("is told by git, with the commit", async () => {
    const path = repository("plain");
    const commit = git(path, "rev-parse", "HEAD");
    await expect(ask(path)).resolves.toEqual({
      seconds: COMMITTED,
      from: "git",
      commit,
      said: undefined,
    });
  });

  test("is told for a shallow clone and a working tree of its own", async () => {
    const path = repository("origin");
    git(path, "commit", "-q", "--allow-empty", "-m", "second");
    git(folder, "clone", "-q", "--depth=1", `file://${path}`, "shallow");
    git(path, "worktree", "add", "-q", join(folder, "tree"));
    await expect(ask(join(folder, "shallow"))).resolves.toMatchObject({ seconds: COMMITTED });
    await expect(ask(join(folder, "tree"))).resolves.toMatchObject({ seconds: COMMITTED });
  });

  test("is told where the workspace belongs to another user, as in a container", async () => {
    const path = repository("foreign");
    if (process.getuid?.() === 0) {
      chownSync(path, 65_534, 65_534);
      chownSync(join(path, ".git"), 65_534, 65_534);
    }
    await expect(ask(path)).resolves.toMatchObject({ from: "git", seconds: COMMITTED });
  });

  test("is told whatever variables of git the job has set, and however git is configured", async () => {
    const path = repository("settings");
    git(path, "config", "log.showSignature", "true");
    process.env.GIT_DIR = "/nowhere";
    try {
      await expect(ask(path)).resolves.toMatchObject({ from: "git", seconds: COMMITTED });
    } finally {
      delete process.env.GIT_DIR;
    }
  });

  test("is that of the repository that is built, where it is not the workspace itself", async () => {
    const app = git(repository("app"), "rev-parse", "HEAD");
    mkdirSync(join(folder, "app", "services", "web"), { recursive: true });
    mkdirSync(join(folder, "notes"));
    await expect(ask(folder)).resolves.toMatchObject({ from: "git", commit: app });
    const other = repository("other");
    git(other, "commit", "-q", "--allow-empty", "-m", "second");
    // Which of two it is nobody can tell, unless what is built lies in one of them.
    await expect(ask(folder)).resolves.toMatchObject({ from: "nothing" });
    for (const inner of ["app/services/web", join(folder, "app", "services")]) {
      const time = await ask(folder, { ...nothing, folder: inner });
      expect(time).toMatchObject({ from: "git", commit: app });
    }
    const outside = await ask(other, { ...nothing, folder: "../app" });
    expect(outside).toMatchObject({ from: "nothing" });
  });

  test("is what the user sets, when it is set", async () => {
    const path = repository("set");
    const commit = git(path, "rev-parse", "HEAD");
    const time = await ask(path, { sourceDateEpoch: 7, timestamp: "2020-01-01T00:00:00Z" });
    expect(time).toEqual({ seconds: 7, from: "SOURCE_DATE_EPOCH", commit, said: undefined });
  });

  test("is the event's where git knows none", async () => {
    const time = await ask(folder, {
      sourceDateEpoch: undefined,
      timestamp: "2020-01-01T01:00:00+01:00",
    });
    expect(time).toMatchObject({ seconds: 1_577_836_800, from: "event", commit: undefined });
    expect(time.said).toContain("the workspace is no git repository");
  });
});

describe("without any, it is the epoch, and that is said, with the reason:", () => {
  test("a folder of another project's repository", async () => {
    const path = join(repository("around"), "inner");
    mkdirSync(path);
    const time = await ask(path);
    expect(time).toMatchObject({ seconds: 0, from: "nothing" });
    expect(time.said).toContain("1970-01-01T00:00:00Z");
  });

  test("a repository without a commit", async () => {
    git(folder, "init", "-q");
    const time = await ask(folder);
    expect(time).toMatchObject({ seconds: 0, from: "nothing" });
    expect(time.said).toMatch(/git says: fatal: .*HEAD/);
  });

  test("a broken repository", async () => {
    mkdirSync(join(folder, ".git"));
    writeFileSync(join(folder, ".git", "HEAD"), "rubbish");
    await expect(ask(folder)).resolves.toMatchObject({ from: "nothing" });
  });

  test("no git on the machine", async () => {
    const path = repository("alone");
    const before = process.env.PATH;
    process.env.PATH = "/nowhere";
    try {
      const time = await ask(path);
      expect(time.said).toContain("git was not found on the PATH");
    } finally {
      process.env.PATH = before;
    }
  });
});

test("a cancelled run is not told a time", async () => {
  const path = repository("cancelled");
  const { signal } = { signal: AbortSignal.abort(new Error("cancelled")) };
  const asked = commitTime(path, nothing, { signal, secrets: new Secrets() });
  await expect(asked).rejects.toThrow("cancelled");
});
