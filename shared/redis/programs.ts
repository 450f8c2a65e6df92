import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { CommandFailed, execute } from "../process/index.ts";
import type { World } from "../world/index.ts";

/** A server's program, on this machine or in an image. */
export interface ServerProgram {
  /** The image, where it runs in a container of this machine's docker. */
  readonly image?: string;
  readonly path: string;
  readonly product: "Redis" | "Valkey";
  /** `7.0.15`. */
  readonly version: string;
}

const NAMES = ["redis-server", "valkey-server"] as const;
const DEADLINE_MS = 10_000;
/** An image may have to be fetched first. */
const IMAGE_DEADLINE_MS = 300_000;
/** Newer servers load what older ones wrote. */
const IMAGES = { redis: "redis:8-alpine", valkey: "valkey/valkey:9-alpine" } as const;

/**
 * The newest server among those in a folder, or on the PATH when none is named.
 *
 * @returns undefined where there is none.
 */
export async function findServer(
  folder: string | undefined,
  valkey: boolean,
  world: World,
): Promise<ServerProgram | undefined> {
  const names = valkey ? NAMES.toReversed() : NAMES;
  for (const name of names) {
    const path = folder === undefined ? name : join(folder, name);
    if (folder !== undefined && !(await isProgram(path))) continue;
    const said = await outputOf(path, ["--version"], DEADLINE_MS, world);
    const [, product, version] = /^(Redis|Valkey) server v=(\d[\d.]*)/.exec(said ?? "") ?? [];
    if (version === undefined) continue;
    return { path, product: product === "Valkey" ? "Valkey" : "Redis", version };
  }
  return undefined;
}

/**
 * A server in an image, where this machine has docker.
 *
 * @param image the official one of the product when left out.
 * @returns undefined where there is no docker, or the image cannot be had.
 */
export async function findImage(
  image: string | undefined,
  valkey: boolean,
  world: World,
): Promise<ServerProgram | undefined> {
  const name = image ?? IMAGES[valkey ? "valkey" : "redis"];
  for (const path of valkey ? NAMES.toReversed() : NAMES) {
    const args = ["run", "--rm", "--network", "none", "--entrypoint", path, name, "--version"];
    const said = await outputOf("docker", args, IMAGE_DEADLINE_MS, world);
    const [, product, version] = /^(Redis|Valkey) server v=(\d[\d.]*)/m.exec(said ?? "") ?? [];
    if (version === undefined) continue;
    return { path, image: name, product: product === "Valkey" ? "Valkey" : "Redis", version };
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function outputOf(
  program: string,
  args: readonly string[],
  deadline: number,
  { signal, secrets }: World,
): Promise<string | undefined> {
  try {
    const { stdout } = await execute({ program, args }, { signal, secrets, deadline });
    return stdout;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}
