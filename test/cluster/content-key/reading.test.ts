import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { contextDigest } from "../../../shared/content-key/context-digest.ts";
import { contentKeyOf, hiddenBy, type Outside } from "../../../shared/content-key/index.ts";
import { readTree, readTreeAside } from "../../../shared/content-key/tree-worker.ts";
import { UserError } from "../../../shared/failure/index.ts";

jest.setTimeout(60_000);

const { signal } = new AbortController();
let place: string;
let large: string;

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "seaworthy-content-key-"));
  large = join(place, "large");
  writeMany(large, 12_000);
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

function writeMany(root: string, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const folder = join(root, `d${Math.floor(index / 40)}`);
    if (index % 40 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `f${index}`), `${index}\n`.repeat(40));
  }
  for (let index = 0; index < 100; index += 1) writeFileSync(join(root, `loose-${index}`), "x");
  linkSync(join(root, "d1/f40"), join(root, "d2/again"));
  linkSync(join(root, "d1/f40"), join(root, "d0/again"));
}

const request = (root: string) => ({
  root,
  rules: [],
  only: undefined,
  from: 0,
  until: undefined,
  since: Date.now() - 100,
});

describe("a tree", () => {
  it("is the same to one thread and to several", async () => {
    const alone = readTree(request(large));
    for (const threads of [1, 2, 4]) {
      const { walked, hashed } = await readTreeAside(request(large), threads, signal);
      expect(hashed).toHaveLength(threads - 1);
      const all = [walked, ...hashed];
      const chunks = all.flatMap((each) => each.chunks).sort((a, b) => a.index - b.index);
      expect(chunks).toEqual(alone.chunks);
      expect(walked.names).toBe(alone.names);
      expect(walked.parts).toEqual(alone.parts);
      const linked = all.flatMap((each) => each.linked).sort((a, b) => a.index - b.index);
      expect(linked).toEqual(alone.linked);
      expect(linked).toHaveLength(3);
    }
  });

  it("is read beside other work when it is large", async () => {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const before = process.cpuUsage();
    const { files } = await contextDigest(large, undefined, signal);
    clearInterval(timer);
    expect(files).toBe(12_102);
    const { user, system } = process.cpuUsage(before);
    // Most of the work is not done where the timer runs, however busy the machine is.
    expect(longest).toBeLessThan(Math.max(1_000, (user + system) / 1_000));
  });

  it("is no longer read after a cancellation", async () => {
    const controller = new AbortController();
    const reason = new Error("cancelled");
    const reading = contextDigest(large, undefined, controller.signal);
    setTimeout(() => controller.abort(reason), 1);
    await expect(reading).rejects.toBe(reason);
    const { files } = await contextDigest(large, undefined, signal);
    expect(files).toBe(12_102);
  });

  it("is read once for all that share it", async () => {
    const { mtimeMs } = statSync(large);
    expect(mtimeMs).toBeGreaterThan(0);
    const asked: string[] = [];
    const outside: Outside = {
      resolve: async (image) => {
        asked.push(image);
        return `sha256:${"0".repeat(64)}`;
      },
      builder: "one",
      signal,
    };
    const subject = {
      context: large,
      dockerfile: "Dockerfile",
      dockerfileText: "FROM a\nCOPY . /\n",
      buildArgs: {},
      secrets: [],
      platforms: [],
    };
    const keys = await Promise.all([1, 2, 3].map(() => contentKeyOf(subject, outside)));
    expect(new Set(keys.map(({ key }) => key)).size).toBe(1);
    expect(asked).toEqual(["a"]);
  });
});

describe("a file", () => {
  const folderWith = (name: string, size: number) => {
    const folder = join(place, `one-${name}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "");
    truncateSync(join(folder, "file"), size);
    return folder;
  };

  it.each([0, 1, 131_071, 131_072, 131_073, 524_352, 655_424])(
    "of %d bytes counts to its last byte",
    async (size) => {
      const folder = folderWith(String(size), size);
      const { digest, bytes } = await contextDigest(folder, undefined, signal);
      expect(bytes).toBe(size);
      appendFileSync(join(folder, "file"), "x");
      const longer = await contextDigest(folder, undefined, signal);
      expect(longer.digest).not.toBe(digest);
      writeFileSync(join(folder, "file"), Buffer.concat([Buffer.alloc(size), Buffer.from("y")]));
      const other = await contextDigest(folder, undefined, signal);
      expect(other.digest).not.toBe(longer.digest);
      truncateSync(join(folder, "file"), size);
      expect((await contextDigest(folder, undefined, signal)).digest).toBe(digest);
    },
  );

  it("larger than what may be held in memory is read piece by piece", async () => {
    const folder = folderWith("huge", 600 * 1024 ** 2);
    const before = process.resourceUsage().maxRSS;
    const { bytes } = await contextDigest(folder, undefined, signal);
    expect(bytes).toBe(600 * 1024 ** 2);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100_000);
  });

  it("that has an old time and other content is seen", async () => {
    const folder = folderWith("old", 10);
    const { digest } = await contextDigest(folder, undefined, signal);
    const { atime, mtime } = statSync(join(folder, "file"));
    writeFileSync(join(folder, "file"), "0123456789");
    utimesSync(join(folder, "file"), atime, mtime);
    expect((await contextDigest(folder, undefined, signal)).digest).not.toBe(digest);
  });

  it("that changes all the time is an error that names it", async () => {
    const folder = folderWith("restless", 0);
    const file = join(folder, "file");
    writeFileSync(file, Buffer.alloc(150_000_000));
    let isOver = false;
    const write = async () => {
      while (!isOver) {
        appendFileSync(file, "x");
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const writing = write();
    const error = await contextDigest(folder, undefined, signal).catch((reason: unknown) => reason);
    isOver = true;
    await writing;
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).cause).toContain("file in the context");
    expect((error as UserError).title).toMatch(/changes while it is read/);
  });

  it("that is replaced by another of the same size between two readings is seen", async () => {
    const folder = folderWith("replaced", 10);
    const { digest } = await contextDigest(folder, undefined, signal);
    writeFileSync(join(place, "other"), "abcdefghij");
    renameSync(join(place, "other"), join(folder, "file"));
    expect((await contextDigest(folder, undefined, signal)).digest).not.toBe(digest);
  });
});

describe("a context that is not there", () => {
  it("is an error that says so", async () => {
    const reading = contextDigest(join(place, "missing"), undefined, signal);
    await expect(reading).rejects.toThrow(/missing/);
    await expect(reading).rejects.toBeInstanceOf(UserError);
  });
});

describe("the line that hides a path", () => {
  it("is that of the ignore file that counts", () => {
    const folder = join(place, "hidden");
    mkdirSync(folder);
    writeFileSync(join(folder, ".dockerignore"), "# none\n\ndist\n*.log\n");
    const dockerfile = join(folder, "Dockerfile");
    const file = join(folder, ".dockerignore");
    expect(hiddenBy(folder, dockerfile, "./dist/app.js")).toEqual({
      file,
      line: 3,
      pattern: "dist",
    });
    expect(hiddenBy(folder, dockerfile, "/a.log")).toEqual({ file, line: 4, pattern: "*.log" });
    expect(hiddenBy(folder, dockerfile, "src/a.log")).toBeUndefined();
    writeFileSync(`${dockerfile}.dockerignore`, "src\n");
    expect(hiddenBy(folder, dockerfile, "dist")).toBeUndefined();
    expect(hiddenBy(folder, dockerfile, "src/a")?.file).toBe(`${dockerfile}.dockerignore`);
  });
});
