import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../../scripts/action-manifest.ts";

/** What a tool said and how it ended. */
export interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, from the root or another folder. */
export function runTool(program: string, args: readonly string[], folder = root): Said {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    // The options that jest needs are not for others.
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** The path of a tool of this checkout. */
export function ownTool(name: string): string {
  return join(root, "node_modules", ".bin", name);
}
