import { createHash } from "node:crypto";
import {
  appendFile,
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { pack } from "tar-stream";
import { directorySource, examineDirectory, examineTar } from "../../../shared/directory/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import { localPlace } from "../../../shared/place/index.ts";
import type { Tier } from "../../../shared/proof/index.ts";
import { Kept } from "../../backups/kept.ts";
import { testWorld } from "../../backups/world.ts";

const world = testWorld();
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "seaworthy-tree-"));
  await mkdir(join(root, "models/deep"), { recursive: true });
  await mkdir(join(root, `${"long".repeat(40)}/${"path".repeat(40)}`), { recursive: true });
  await writeFile(join(root, `${"long".repeat(40)}/${"path".repeat(40)}/file`), "deep");
  await writeFile(join(root, "models/weights.bin"), Buffer.alloc(700_000, "w"));
  await writeFile(join(root, "models/deep/ümläut 名前.txt"), "text");
  await writeFile(join(root, "empty"), "");
  await writeFile(join(root, "program"), "#!/bin/sh\n");
  await chmod(join(root, "program"), 0o755);
  await link(join(root, "program"), join(root, "same-program"));
  await symlink("models/weights.bin", join(root, "current"));
  await symlink("/etc/passwd", join(root, "outside"));
  await writeFile(join(root, "holes"), "");
  await truncate(join(root, "holes"), 300_000);
  await writeFile(join(root, "debug.log"), "line\n");
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function take(exclude: readonly string[] = []): Promise<Kept> {
  return await Kept.of(directorySource({ path: root, exclude }), world);
}

async function whatIsFound(
  kept: Kept,
  changed: Readonly<Record<string, Buffer>> = {},
  tier: Tier = "data",
): Promise<string[]> {
  const { findings } = await examineDirectory(kept.opened(changed), { tier }, world);
  return findings.map(({ subject, what }) => `${subject}: ${what}`);
}

describe("a folder", () => {
  test.each(["integrity", "data", "full"] as const)("is proven as it was: %s", async (tier) => {
    const kept = await take();
    const result = await examineDirectory(kept.opened(), { tier }, world);
    expect(result.findings).toEqual([]);
    expect(result.reached).toBe(tier);
    expect(result.items[0]).toMatchObject({ expected: 7, found: 7, same: true });
    expect(kept.captured?.measures).toMatchObject({ files: 7, folders: 5, links: 3 });
    expect(
      (await readdir(tmpdir())).filter((name) => name.startsWith("seaworthy-directory")),
    ).toEqual([]);
  });

  test("is read by its own machine's tar likewise, as a pod's is", async () => {
    const place = localPlace(world.secrets);
    const kept = await Kept.of(directorySource({ path: root, place }), world);
    expect(kept.captured?.measures).toMatchObject({ files: 7, folders: 5, links: 3 });
    expect(await whatIsFound(kept, {}, "full")).toEqual([]);
    const nowhere = directorySource({ path: "/no/such/folder", place });
    await expect(nowhere.capture(new Kept(), world)).rejects.toThrow(
      /could not be read whole.*no such/is,
    );
  });

  test("leaves out what patterns say, and records them", async () => {
    const kept = await take(["*.log", "models/deep", "*.nothing"]);
    expect(kept.captured?.measures).toMatchObject({ files: 5, folders: 4 });
    expect(kept.captured?.excluded).toEqual([
      "files like *.log",
      "files like models/deep",
      "files like *.nothing",
    ]);
    expect(kept.captured?.notes.join()).toContain("Nothing was left out by the pattern *.nothing.");
    expect(await whatIsFound(kept)).toEqual([]);
  });

  test("with a name that is no UTF-8 is refused, and backed up without it", async () => {
    const name = Buffer.concat([Buffer.from(`${root}/odd`), Buffer.from([0xff])]);
    await writeFile(name, "odd");
    const refusal = await take().catch((error: UserError) => error.cause);
    expect(refusal).toContain("its name is not UTF-8");
    expect(await whatIsFound(await take(["odd*"]))).toEqual([]);
  });

  test("that is not there, or is none, is refused", async () => {
    const refusal = async (path: string) =>
      await directorySource({ path })
        .capture(new Kept(), world)
        .catch((error: UserError) => error.cause);
    expect(await refusal(join(root, "nowhere"))).toContain("is not there");
    expect(await refusal(join(root, "program"))).toContain("is no folder");
  });

  test("with a file that does not stop changing is refused", async () => {
    let on = true;
    await writeFile(join(root, "busy"), Buffer.alloc(20_000_000));
    const writing = (async () => {
      while (on) await appendFile(join(root, "busy"), "more");
    })();
    const error = await take().catch((error: UserError) => error);
    on = false;
    await writing;
    expect((error as UserError).cause).toMatch(/busy.*changed each of the 3 times/);
  });

  test("with a file that changed once is read again, and proven as it was then", async () => {
    const big = join(root, "big");
    await writeFile(big, Buffer.alloc(30_000_000, "a"));
    let changed = false;
    const kept = new Kept();
    const sink = {
      async write(name: string, content: Readable) {
        const watched = async function* () {
          for await (const chunk of content) {
            if (!changed && (chunk as Buffer).includes("aaaa")) {
              changed = true;
              await truncate(big, 1_000_000);
            }
            yield chunk as Buffer;
          }
        };
        await kept.write(name, Readable.from(watched()));
      },
    };
    kept.captured = await directorySource({ path: root }).capture(sink, world);
    expect(kept.parts.get("members.jsonl")?.toString()).toContain('"superseded":true');
    expect(kept.captured.measures.bytes).toBeLessThan(3_000_000);
    expect(await whatIsFound(kept, {}, "full")).toEqual([]);
  });
});

describe("a storage that fails in the middle", () => {
  test.each(["files.tar", "members.jsonl"])(
    "ends the backup with its own error: %s",
    async (bad) => {
      await writeFile(join(root, "big"), Buffer.alloc(8_000_000, "b"));
      const kept = new Kept();
      const full = new UserError({
        title: "The storage is full",
        cause: "No room.",
        remedy: "Go.",
      });
      const sink = {
        async write(name: string, content: Readable) {
          if (name !== bad) return await kept.write(name, content);
          for await (const _ of content) {
            content.destroy();
            throw full;
          }
        },
      };
      await expect(directorySource({ path: root }).capture(sink, world)).rejects.toBe(full);
    },
  );
});

describe("damage to a folder's backup", () => {
  type Change = (tar: Buffer, listing: Buffer) => Readonly<Record<string, Buffer>>;
  const tar =
    (change: (tar: Buffer) => Buffer): Change =>
    (bytes) => ({ "files.tar": change(bytes) });
  const list =
    (change: (listing: string) => string): Change =>
    (_, bytes) => ({
      "members.jsonl": Buffer.from(change(bytes.toString())),
    });
  const flip = (bytes: Buffer, at: number) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const cases: [string, Change][] = [
    ["nothing left", tar(() => Buffer.alloc(0))],
    ["cut in half", tar((bytes) => bytes.subarray(0, bytes.length >> 1))],
    ["cut within a block", tar((bytes) => bytes.subarray(0, bytes.length - 100))],
    ["its end gone", tar((bytes) => bytes.subarray(0, bytes.length - 1024))],
    ["cut between members", tar((bytes) => bytes.subarray(0, bytes.length - 1024 - 512))],
    ["a flipped bit in a file", tar((bytes) => flip(bytes, bytes.indexOf("wwww") + 4000))],
    ["a flipped bit in a header", tar((bytes) => flip(bytes, bytes.indexOf("empty")))],
    ["something else", tar(() => Buffer.from("not a tar at all".repeat(100)))],
    ["zeros", tar((bytes) => Buffer.alloc(bytes.length))],
    ["a file put in", tar((bytes) => Buffer.concat([bytes.subarray(0, 0), extra("extra"), bytes]))],
    [
      "a member listed and gone",
      list((text) => `${text}{"path":"more","type":"file","size":0,"mode":420,"mtime":0}\n`),
    ],
    ["a line of the listing gone", list((text) => text.split("\n").slice(1).join("\n"))],
    ["another sum listed", list((text) => text.replace(/"sha256":"./, '"sha256":"z'))],
    ["another mode listed", list((text) => text.replace('"mode":493', '"mode":511'))],
    ["another target listed", list((text) => text.replace("/etc/passwd", "/etc/shadow"))],
    ["a listing that is none", list(() => "<html>\n")],
    ["a listing cut", list((text) => text.slice(0, -20))],
  ];

  test.each(cases)("is noticed: %s", async (_, change) => {
    const kept = await take();
    const [bytes, listing] = ["files.tar", "members.jsonl"].map((name) => kept.parts.get(name));
    const changed = change(bytes ?? Buffer.alloc(0), listing ?? Buffer.alloc(0));
    expect((await whatIsFound(kept, changed)).length).toBeGreaterThan(0);
  });
});

/** One file as an archive without an end. */
function extra(name: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write("00000000000\0", 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

describe("a hostile archive", () => {
  type Entry = Parameters<ReturnType<typeof pack>["entry"]>[0];
  async function archive(...entries: readonly (readonly [Entry, string?])[]): Promise<Buffer> {
    const tar = pack();
    for (const [header, content] of entries) tar.entry(header, content ?? "");
    tar.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of tar) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
  async function judged(bytes: Buffer): Promise<string> {
    const file = { name: "x.tar", open: async () => Readable.from([bytes]) };
    const { findings } = await examineTar(file, { tier: "full" }, world);
    return findings.map(({ what }) => what).join();
  }

  test("that leads out of its folder is not unpacked", async () => {
    expect(await judged(await archive([{ name: "../evil" }, "x"]))).toContain("leads out");
    expect(await judged(await archive([{ name: "a/../../evil" }, "x"]))).toContain("leads out");
    expect(await judged(await archive([{ name: "/etc/evil" }, "x"]))).toContain("leads out");
    const out = await archive([{ name: "l", type: "link", linkname: "../../etc/passwd" }]);
    expect(await judged(out)).toContain("leads out");
  });

  test("that writes through a link writes nowhere", async () => {
    const target = join(root, "models");
    const before = createHash("sha256")
      .update((await readdir(target)).join())
      .digest("hex");
    const through = await archive(
      [{ name: "way", type: "symlink", linkname: target }],
      [{ name: "way/evil" }, "x"],
    );
    expect(await judged(through)).toMatch(/twice, or below/);
    const after = createHash("sha256")
      .update((await readdir(target)).join())
      .digest("hex");
    expect(after).toBe(before);
    const hard = await archive(
      [{ name: "way", type: "symlink", linkname: "/etc/passwd" }],
      [{ name: "copy", type: "link", linkname: "way" }],
    );
    expect(await judged(hard)).toContain("which is not in it");
  });

  test("that promises more than there is room for unpacks nothing of it", async () => {
    const header = extra("bomb");
    header.write("77777777777\0", 124);
    header.write("        ", 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    const verdict = await judged(header).catch((error: UserError) => error.title);
    expect(verdict).toMatch(/no room|cut short/);
  });

  test("of others is read, and what cannot be known is said", async () => {
    const bytes = await archive([{ name: "a" }, "x"], [{ name: "b" }, "y"]);
    const file = { name: "x.tar", open: async () => Readable.from([bytes]) };
    const result = await examineTar(file, { tier: "full", leastFiles: 3 }, world);
    expect(result.findings.map(({ what }) => what)).toEqual([
      "It holds 2 files, and at least 3 are expected.",
    ]);
    expect(result.unknown[0]).toContain("There is no listing");
  });
});
