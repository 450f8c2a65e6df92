import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Endpoints } from "../../testbed/index.ts";

const run = promisify(execFile);

/** An image in the bed's registry, as build-push would report it. */
export interface ServiceImage {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

export interface ServiceParts {
  /** Answers by path, as plain files: `health`, `ready`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** The program that a container runs, in place of the small web server. */
  readonly entrypoint?: readonly string[];
}

/** Pushes an image with a small web server; its digest is one of its own every time. */
export async function serviceImage(
  { registry, busyboxImage, bin }: Endpoints,
  path: string,
  tag: string,
  { files = { health: "ok" }, port = 8080, entrypoint }: ServiceParts = {},
): Promise<ServiceImage> {
  const folder = await mkdtemp(join(tmpdir(), "image-"));
  try {
    for (const [name, text] of Object.entries({
      ...files,
      version: `${tag} ${randomBytes(6).toString("hex")}`,
    })) {
      const file = join(folder, "www", name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    const layer = join(folder, "layer.tar");
    await run("tar", ["-C", folder, "-cf", layer, "www"]);
    const repository = `${registry}/${path}`;
    const command = entrypoint ?? ["httpd", "-f", "-p", String(port), "-h", "/www"];
    const crane = (...args: string[]) => run(join(bin, "crane"), args);
    await crane(
      "append",
      "--insecure",
      "-b",
      busyboxImage,
      "-f",
      layer,
      "-t",
      `${repository}:${tag}`,
    );
    const made = ["mutate", "--insecure", `${repository}:${tag}`, "-t", `${repository}:${tag}`];
    // As crane cuts at commas.
    const words = command.map((word) => (word.includes(",") ? `"${word}"` : word)).join(",");
    const { stdout } = await crane(...made, "--entrypoint", words);
    const digest = /sha256:[0-9a-f]{64}/.exec(stdout)?.[0] ?? "";
    return { repository, tag, digest };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
