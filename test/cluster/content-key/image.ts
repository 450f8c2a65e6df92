import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Endpoints } from "../../testbed/index.ts";

const run = promisify(execFile);

/** What BuildKit made of some folders. */
export interface Image extends AsyncDisposable {
  /** Where the files of the folder with this number were unpacked to. */
  folder(index: number): string;
  /** All that the image says of the files of a folder, but for their times; sorted. */
  entries(index: number): readonly string[];
}

/**
 * Has the real BuildKit copy folders into one image, each as a context of its own, without its cache,
 * and unpacks what comes back.
 */
export async function imageOf(folders: readonly string[], bed: Endpoints): Promise<Image> {
  const place = await mkdtemp(join(tmpdir(), "seaworthy-content-key-"));
  const lines = folders.map((_, index) => `COPY --from=c${index} . /${index}/`);
  await writeFile(join(place, "Dockerfile"), ["FROM scratch", ...lines, ""].join("\n"));
  const tar = join(place, "image.tar");
  const contexts = folders.flatMap((folder, index) => ["--build-context", `c${index}=${folder}`]);
  const args = ["build", "-q", "--no-cache", "--builder", "seaworthy", ...contexts];
  const env = {
    ...process.env,
    DOCKER_CONFIG: bed.dockerConfig,
    PATH: `${bed.bin}:${process.env.PATH}`,
  };
  await run("buildx", [...args, "--output", `type=tar,dest=${tar}`, place], { env });
  await run("mkdir", [join(place, "files")]);
  await run("tar", [
    "--extract",
    "--preserve-permissions",
    "--file",
    tar,
    "--directory",
    join(place, "files"),
  ]);
  const all = entriesOf(await readFile(tar));
  return {
    folder: (index) => join(place, "files", String(index)),
    entries: (index) => {
      const prefix = `${index}/`;
      return all
        .filter(({ path }) => path.startsWith(prefix) && path !== prefix)
        .map(({ path, told }) => `${path.slice(prefix.length)} ${told(prefix)}`)
        .sort();
    },
    async [Symbol.asyncDispose]() {
      await rm(place, { recursive: true, force: true });
    },
  };
}

interface Entry {
  readonly path: string;
  told(prefix: string): string;
}

const BLOCK = 512;

/** Reads an archive, by itself and not with the code that is tested. Source: POSIX pax. */
function entriesOf(archive: Buffer): readonly Entry[] {
  const entries: Entry[] = [];
  let pax = new Map<string, string>();
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0; ) {
    const header = at;
    const field = (from: number, length: number) =>
      archive
        .subarray(header + from, header + from + length)
        .toString("latin1")
        .replace(/\0[\s\S]*$/, "");
    const type = field(156, 1);
    const size = Number(pax.get("size") ?? Number.parseInt(field(124, 12), 8));
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "x") {
      pax = paxOf(content);
      continue;
    }
    const path = pax.get("path") ?? [field(345, 155), field(0, 100)].filter(Boolean).join("/");
    const link = pax.get("linkpath") ?? field(157, 100);
    const digest = createHash("sha256").update(content).digest("hex").slice(0, 12);
    const facts = ["type", type, "mode", field(100, 8), "owner", field(108, 8), field(116, 8)];
    const device = [field(329, 8), field(337, 8)];
    entries.push({
      path,
      told: (prefix) => {
        const target = type === "1" ? link.replace(prefix, "") : link;
        return [...facts, "link", target, "device", ...device, "content", digest].join(" ");
      },
    });
    pax = new Map();
  }
  return entries;
}

function paxOf(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const length = Number(content.subarray(at, space).toString());
    const record = content.subarray(space + 1, at + length - 1).toString("latin1");
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}
