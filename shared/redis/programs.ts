import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { CommandFailed, execute } from "../process/index.ts";
import type { World } from "../world/index.ts";

/** A server's program on this machine. */
export interface ServerProgram {
  readonly path: string;
  readonly product: "Redis" | "Valkey";
  /** `7.0.15`. */
  readonly version: string;
}

const NAMES = ["redis-server", "valkey-server"] as const;
const DEADLINE_MS = 10_000;

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
    const said = await versionOf(path, world);
    const [, product, version] = /^(Redis|Valkey) server v=(\d[\d.]*)/.exec(said ?? "") ?? [];
    if (version === undefined) continue;
    return { path, product: product === "Valkey" ? "Valkey" : "Redis", version };
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function versionOf(program: string, world: World): Promise<string | undefined> {
  const { signal, secrets } = world;
  try {
    const { stdout } = await execute(
      { program, args: ["--version"] },
      { signal, secrets, deadline: DEADLINE_MS },
    );
    return stdout;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}
