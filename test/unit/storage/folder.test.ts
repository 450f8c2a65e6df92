import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Secrets } from "../../../shared/secrets/index.ts";
import { explain } from "../../../shared/storage/folder/errors.ts";
import { openStorage, type Storage } from "../../../shared/storage/index.ts";
import { silentLog, systemClock, type World } from "../../../shared/world/index.ts";

const { signal } = new AbortController();
let top: string;
let root: string;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "storage-"));
  root = join(top, "backups");
  mkdirSync(root);
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function world(): World {
  return {
    ...{ clock: systemClock, log: silentLog, secrets: new Secrets(), signal, aftermath: signal },
    environment: { GITHUB_WORKSPACE: top },
  };
}

function open(location = root, create?: boolean): Promise<Storage> {
  return openStorage({ location, create }, world());
}

async function names(storage: Storage, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of storage.list(prefix, signal)) found.push(name);
  return found;
}

function everyFile(): string[] {
  return readdirSync(top, { recursive: true, encoding: "utf8" }).sort();
}

async function* breaksAfter(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
  throw new Error("the dump ended");
}

describe("a folder as storage", () => {
  it("gives back what was written, whole and in parts", async () => {
    const storage = await open();
    const content = randomBytes(3_000_001);
    const progress: number[] = [];
    const pieces = [
      content.subarray(0, 10),
      content.subarray(10, 2_000_000),
      content.subarray(2e6),
    ];
    const written = await storage.write("papers/1/dump", Readable.from(pieces), {
      signal,
      onProgress: (bytes) => progress.push(bytes),
    });
    const sha256 = createHash("sha256").update(content).digest("hex");
    expect(written).toEqual({ bytes: content.length, sha256 });
    expect(progress.at(-1)).toBe(content.length);
    expect(content.equals(await buffer(await storage.read("papers/1/dump", { signal })))).toBe(
      true,
    );
    const part = await storage.read("papers/1/dump", { signal, from: 5, to: 700_000 });
    expect(content.subarray(5, 700_000).equals(await buffer(part))).toBe(true);
    const beyond = await storage.read("papers/1/dump", { signal, from: 3_000_000, to: 9e9 });
    expect(await buffer(beyond)).toEqual(content.subarray(3_000_000));
    const none = await storage.read("papers/1/dump", { signal, from: 7, to: 7 });
    expect(await buffer(none)).toHaveLength(0);
    const found = await storage.stat("papers/1/dump", signal);
    expect(found).toMatchObject({ name: "papers/1/dump", bytes: content.length, state: "ready" });
    expect(everyFile()).toEqual(
      ["backups", "backups/papers", "backups/papers/1", "backups/papers/1/dump"].sort(),
    );
  });

  it("keeps what is empty, and what comes as a buffer", async () => {
    const storage = await open();
    await storage.write("empty", Readable.from([]), { signal });
    await storage.write("small", Buffer.from("é"), { signal });
    expect(readFileSync(join(root, "empty"), "utf8")).toBe("");
    expect(readFileSync(join(root, "small"), "utf8")).toBe("é");
  });

  it("lists in the order of names, as S3 does", async () => {
    const storage = await open();
    const all = ["a-b/x", "a.b", "a/b", "a/c/d", "a0", "b"];
    for (const name of [...all].reverse()) await storage.write(name, Buffer.from("x"), { signal });
    expect(await names(storage)).toEqual(all);
    expect(await names(storage, "a/")).toEqual(["a/b", "a/c/d"]);
    expect(await names(storage, "a/c")).toEqual(["a/c/d"]);
    expect(await names(storage, "a.")).toEqual(["a.b"]);
    expect(await names(storage, "none/at/all")).toEqual([]);
  });

  it("overwrites only what it is told to", async () => {
    const storage = await open();
    await storage.write("a/b", Buffer.from("first"), { signal });
    const again = storage.write("a/b", Buffer.from("second"), { signal });
    await expect(again).rejects.toMatchObject({
      title: "A backup is not overwritten",
      cause: `a/b exists already in folder ${root}.`,
    });
    expect(readFileSync(join(root, "a/b"), "utf8")).toBe("first");
    await storage.write("a/b", Buffer.from("third"), { signal, replace: true });
    expect(readFileSync(join(root, "a/b"), "utf8")).toBe("third");
    expect(readdirSync(join(root, "a"))).toEqual(["b"]);
  });

  it("lets only one of two writers have a name", async () => {
    const storage = await open();
    const writers = ["one", "two", "three"].map((text) =>
      storage.write("a/b", Readable.from([Buffer.from(text)]), { signal }),
    );
    const ends = await Promise.allSettled(writers);
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(readdirSync(join(root, "a"))).toEqual(["b"]);
  });

  it("leaves nothing of what breaks in the middle", async () => {
    const storage = await open();
    const source = Readable.from(breaksAfter([randomBytes(2_000_000)]));
    await expect(storage.write("a/b/c", source, { signal })).rejects.toThrow("the dump ended");
    expect(everyFile()).toEqual(["backups"]);
  });

  it("leaves nothing of what is cancelled", async () => {
    const storage = await open();
    const cancel = new AbortController();
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield randomBytes(300_000);
    }
    const content = Readable.from(endless());
    const writing = storage.write("a/b", content, {
      signal: cancel.signal,
      onProgress: () => cancel.abort(new Error("cancelled")),
    });
    await expect(writing).rejects.toThrow("cancelled");
    expect(content.destroyed).toBe(true);
    expect(everyFile()).toEqual(["backups"]);
  });

  it.each([
    ["", "is empty"],
    ["/a", "has an empty part"],
    ["a//b", "has an empty part"],
    ["../a", "leads out of its folder"],
    ["a/../../b", "leads out of its folder"],
    ["a\\b", "has a control character or a backslash"],
    ["a\nb", "has a control character or a backslash"],
    ["é".repeat(600), "is longer than 1024 bytes"],
  ])("does not take the name %j", async (name, why) => {
    const storage = await open();
    const writing = storage.write(name, Buffer.from("x"), { signal });
    await expect(writing).rejects.toMatchObject({ cause: expect.stringContaining(why) });
    await expect(storage.read(name, { signal })).rejects.toThrow(why);
    await expect(storage.stat(name, signal)).rejects.toThrow(why);
    expect(await storage.remove([name], signal)).toHaveLength(1);
    expect(everyFile()).toEqual(["backups"]);
  });

  it("follows no link that leads out", async () => {
    const storage = await open();
    mkdirSync(join(top, "elsewhere"));
    writeFileSync(join(top, "elsewhere", "secret"), "secret");
    symlinkSync(join(top, "elsewhere"), join(root, "out"));
    symlinkSync(join(top, "elsewhere", "secret"), join(root, "secret"));
    const out = "leads out of the folder";
    await expect(storage.write("out/a/b", Buffer.from("x"), { signal })).rejects.toThrow(out);
    await expect(storage.read("out/secret", { signal })).rejects.toThrow(out);
    await expect(storage.read("secret", { signal })).rejects.toThrow(out);
    expect(await storage.remove(["out/secret"], signal)).toEqual([
      { name: "out/secret", reason: expect.stringContaining("leads out") },
    ]);
    expect(await names(storage)).toEqual([]);
    expect(readdirSync(join(top, "elsewhere"))).toEqual(["secret"]);
  });

  it("follows links that stay within, and a root that is a link", async () => {
    symlinkSync(root, join(top, "link"));
    const storage = await open(join(top, "link"));
    await storage.write("a/b", Buffer.from("x"), { signal });
    symlinkSync(join(root, "a", "b"), join(root, "latest"));
    expect(await names(storage)).toEqual(["a/b", "latest"]);
    expect(await buffer(await storage.read("latest", { signal }))).toEqual(Buffer.from("x"));
  });

  it("takes away what killed runs left, when it is old", async () => {
    const [old, young] = ["0123456789abcdef", "fedcba9876543210"];
    for (const [folder, tail] of [
      ["1", old],
      ["2", young],
    ] as const) {
      mkdirSync(join(root, "papers", folder), { recursive: true });
      writeFileSync(join(root, "papers", folder, `.seaworthy-${tail}.partial`), "half");
    }
    const yesterday = Date.now() / 1_000 - 25 * 3_600;
    utimesSync(join(root, "papers/1", `.seaworthy-${old}.partial`), yesterday, yesterday);
    const storage = await open();
    expect(await names(storage)).toEqual([]);
    await storage.write("papers/3/dump", Buffer.from("x"), { signal });
    expect(readdirSync(join(root, "papers")).sort()).toEqual(["2", "3"]);
    expect(readdirSync(join(root, "papers/2"))).toHaveLength(1);
  });

  it("removes, and the folders that are empty then", async () => {
    const storage = await open();
    for (const name of ["a/1/x", "a/1/y", "a/2/x"]) {
      await storage.write(name, Buffer.from("x"), { signal });
    }
    expect(await storage.remove(["a/1/x", "a/1/y", "a/9/none"], signal)).toEqual([]);
    expect(await names(storage)).toEqual(["a/2/x"]);
    expect(readdirSync(join(root, "a"))).toEqual(["2"]);
    expect(await storage.remove(["a/2"], signal)).toMatchObject([{ name: "a/2" }]);
    expect(await storage.remove(["a/2/x"], signal)).toEqual([]);
    expect(readdirSync(top)).toEqual(["backups"]);
  });

  it("is not there: an error, unless it may be made", async () => {
    const missing = join(top, "new", "backups");
    await expect(open(missing)).rejects.toMatchObject({
      title: "The folder of the backups is not there",
    });
    const storage = await open(missing, true);
    expect(await names(storage)).toEqual([]);
    expect(await storage.stat("a", signal)).toBeUndefined();
    await storage.write("a", Buffer.from("x"), { signal });
    expect(existsSync(join(missing, "a"))).toBe(true);
  });

  it("is a link that leads nowhere", async () => {
    symlinkSync(join(top, "nowhere", "at all"), join(top, "dangling"));
    const storage = await open(join(top, "dangling"), true);
    const writing = storage.write("a", Buffer.from("a"), { signal });
    await expect(writing).rejects.toMatchObject({
      title: "The folder of the backups cannot be made",
    });
  });

  it("tells what the system says also where nobody knows the code", () => {
    const strange = Object.assign(new Error("EREMOTEIO: odd"), { code: "EREMOTEIO", errno: -121 });
    expect(explain(strange, "/mnt/x", "written")).toMatchObject({
      cause: expect.stringContaining("EREMOTEIO: odd"),
    });
    const bug = new TypeError("a bug");
    expect(explain(bug, "/mnt/x", "written")).toBe(bug);
  });

  it("is a file, or has one in its way", async () => {
    writeFileSync(join(top, "file"), "");
    await expect(open(join(top, "file"))).rejects.toMatchObject({
      title: "The path of the backups is not a folder",
    });
    await expect(open(join(top, "file", "below"), true)).rejects.toMatchObject({
      title: "The path of the backups is not a folder",
    });
    const storage = await open();
    writeFileSync(join(root, "papers"), "");
    await expect(storage.write("papers/a", Buffer.from("x"), { signal })).rejects.toMatchObject({
      title: "The path of the backups is not a folder",
    });
  });

  it("notices that its mount vanished, and writes nothing in its place", async () => {
    const storage = await open();
    await storage.write("a", Buffer.from("x"), { signal });
    renameSync(root, join(top, "unmounted"));
    const gone = { title: "The folder of the backups is gone" };
    await expect(storage.write("b", Buffer.from("x"), { signal })).rejects.toMatchObject(gone);
    mkdirSync(root);
    await expect(storage.write("b", Buffer.from("x"), { signal })).rejects.toMatchObject(gone);
    await expect(names(storage)).rejects.toMatchObject(gone);
    await expect(storage.read("a", { signal })).rejects.toMatchObject(gone);
    expect(readdirSync(root)).toEqual([]);
  });

  it("notices a file that ends before its size while it is read", async () => {
    const storage = await open();
    await storage.write("a", randomBytes(2_000_000), { signal });
    const stream = await storage.read("a", { signal });
    truncateSync(join(root, "a"), 600_000);
    await expect(buffer(stream)).rejects.toMatchObject({
      title: "What was read is not what is stored",
    });
  });

  it("says what is not there", async () => {
    const storage = await open();
    await expect(storage.read("a/b", { signal })).rejects.toMatchObject({
      title: "A file of the backup is not there",
    });
    mkdirSync(join(root, "dir"));
    await expect(storage.read("dir", { signal })).rejects.toMatchObject({
      title: "A file of the backup is not there",
    });
  });
});
