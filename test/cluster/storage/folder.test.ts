import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { openStorage } from "../../../shared/storage/index.ts";
import { testWorld } from "./bucket.ts";

const { signal } = new AbortController();
let root: string;
let mounted: boolean;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "folder-storage-"));
  chmodSync(root, 0o755);
  mounted = false;
});
afterEach(() => {
  if (mounted) system("umount", ["--lazy", root]);
  rmSync(root, { recursive: true, force: true });
});

function system(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}

function mount(options: string): void {
  system("mount", ["-t", "tmpfs", "-o", options, "tmpfs", root]);
  mounted = true;
}

function write(storage: Awaited<ReturnType<typeof openStorage>>, bytes: number) {
  async function* zeros(): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0; left -= 100_000) yield Buffer.alloc(Math.min(left, 100_000));
  }
  return storage.write("a/b", Readable.from(zeros()), { signal });
}

describe("a folder on a disk", () => {
  it("that gets full in the middle keeps nothing half, and says so", async () => {
    mount("size=4m");
    const storage = await openStorage({ location: root }, testWorld());
    await expect(write(storage, 9_000_000)).rejects.toMatchObject({
      title: "The disk of the backups is full",
      cause: expect.stringContaining("ENOSPC"),
    });
    expect(readdirSync(root)).toEqual([]);
    expect((await write(storage, 3_000_000)).bytes).toBe(3_000_000);
  });

  it("that has no more files left", async () => {
    mount("size=4m,nr_inodes=3");
    const storage = await openStorage({ location: root }, testWorld());
    await storage.write("a/b", Buffer.from("x"), { signal });
    await expect(storage.write("a/c", Buffer.from("x"), { signal })).rejects.toMatchObject({
      title: "The disk of the backups is full",
    });
    expect(readdirSync(join(root, "a"))).toEqual(["b"]);
  });

  it("that is read-only can be read", async () => {
    mount("size=4m");
    const storage = await openStorage({ location: root }, testWorld());
    await write(storage, 10);
    system("mount", ["-o", "remount,ro", root]);
    await expect(storage.write("a/c", Buffer.from("x"), { signal })).rejects.toMatchObject({
      title: "The folder of the backups is read-only",
    });
    expect(await storage.stat("a/b", signal)).toMatchObject({ bytes: 10 });
    expect(await storage.remove(["a/b"], signal)).toEqual([
      { name: "a/b", reason: expect.stringContaining("mounted read-only") },
    ]);
  });

  it("that is unmounted in the middle gets nothing in its place", async () => {
    mount("size=4m");
    const storage = await openStorage({ location: root }, testWorld());
    await write(storage, 10);
    system("umount", ["--lazy", root]);
    mounted = false;
    await expect(storage.write("a/c", Buffer.from("x"), { signal })).rejects.toMatchObject({
      title: "The folder of the backups is gone",
    });
    expect(readdirSync(root)).toEqual([]);
  });
});

/** Runs as nobody, and with limits where some are given. */
function programAs(uid: number | undefined, program: string, limit = "") {
  const eval_ = `
    import { Readable } from "node:stream";
    import { openStorage } from "./shared/storage/index.ts";
    import { testWorld } from "./test/cluster/storage/bucket.ts";
    const { signal } = new AbortController();
    const root = ${JSON.stringify(root)};
    async function* zeros(count) { for (let left = count; left > 0; left -= 1) yield Buffer.alloc(1_000_000); }
    try { ${program} } catch (error) { console.log(error.title ?? error.stack); }`;
  const node = [process.execPath, "--input-type=module", "--eval", eval_];
  // A file's limit is a shell's to set.
  const args = ["-c", `${limit}exec "$@"`, "sh", ...node];
  const ids = uid === undefined ? {} : { uid, gid: uid };
  return spawn("sh", args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env.PATH },
    ...ids,
  });
}

async function said(child: ReturnType<typeof programAs>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString().trim();
}

describe("a folder that is written to by another process", () => {
  it("which may not write or read there", async () => {
    const unwritable =
      'await (await openStorage({ location: root }, testWorld())).write("a/b", Buffer.from("x"), { signal });';
    expect(await said(programAs(65_534, unwritable))).toBe(
      "The folder of the backups may not be used",
    );
    expect(readdirSync(root)).toEqual([]);
    mkdirSync(join(root, "a"));
    writeFileSync(join(root, "a/b"), "x");
    chmodSync(join(root, "a/b"), 0o600);
    const unreadable =
      'await (await openStorage({ location: root }, testWorld())).read("a/b", { signal });';
    expect(await said(programAs(65_534, unreadable))).toBe(
      "The folder of the backups may not be used",
    );
    chmodSync(join(root, "a"), 0o700);
    const unlistable =
      'for await (const found of (await openStorage({ location: root }, testWorld())).list("", signal)) console.log(found);';
    expect(await said(programAs(65_534, unlistable))).toBe(
      "The folder of the backups may not be used",
    );
  });

  it("whose files may only be small", async () => {
    const large =
      'await (await openStorage({ location: root }, testWorld())).write("a/b", Readable.from(zeros(5)), { signal });';
    const limited = programAs(
      undefined,
      `process.on("SIGXFSZ", () => {}); ${large}`,
      "ulimit -f 2000; ",
    );
    expect(await said(limited)).toBe("The file system cannot hold a file so large");
    expect(readdirSync(root)).toEqual([]);
  });

  it("which is killed in the middle: nothing of it counts", async () => {
    const endless =
      'await (await openStorage({ location: root }, testWorld())).write("a/b", Readable.from(zeros(Infinity)), { signal, onProgress: (bytes) => bytes > 3e6 && bytes < 5e6 && console.log("on") });';
    const child = programAs(undefined, endless);
    await once(child.stdout ?? child, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const [partial = ""] = readdirSync(join(root, "a"));
    expect(partial).toMatch(/^\.seaworthy-/);
    expect(statSync(join(root, "a", partial)).size).toBeGreaterThan(1_000_000);
    const storage = await openStorage({ location: root }, testWorld());
    for await (const found of storage.list("", signal)) expect(found).toBeUndefined();
    const later = testWorld();
    const clock = { ...later.clock, now: () => Date.now() + 25 * 3_600_000 };
    const sweeping = await openStorage({ location: root }, { ...later, clock });
    await sweeping.write("a/c", Buffer.from("x"), { signal });
    expect(readdirSync(join(root, "a"))).toEqual(["c"]);
    expect(later.said.join()).toContain("Removed 1 unfinished files of killed runs");
  });
});
