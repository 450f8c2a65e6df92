import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { root } from "../../scripts/action-manifest.ts";

const BUILD_MS = 600_000;

/** Runs a program that must succeed, and gives its output back. */
function done(program: string, args: readonly string[], cwd: string, input?: Buffer): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    input,
    maxBuffer: 512 * 1024 * 1024,
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** The files of a folder with their bytes, by path. */
function bytesOf(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return new Map(
    files
      .map((file) => join(file.parentPath, file.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), readFileSync(path).toString("base64")]),
  );
}

/**
 * Puts the modules into a folder. What ncc writes depends on the folder that node_modules is in, so
 * it has to be a real one, though its files may be the checkout's own: but for ncc's, which writes there.
 */
function linkModules(folder: string): void {
  const [from, to] = [root, folder].map((at) => join(at, "node_modules")) as [string, string];
  const { status } = spawnSync("cp", ["--archive", "--link", from, to], { stdio: "ignore" });
  const whole = { recursive: true, verbatimSymlinks: true };
  // Another file system takes no links.
  if (status !== 0) cpSync(from, to, whole);
  const ncc = join("@vercel", "ncc");
  rmSync(join(to, ncc), { recursive: true });
  cpSync(join(from, ncc), join(to, ncc), whole);
}

describe("dist/", () => {
  it(
    "as committed is what the committed sources build to, byte by byte",
    () => {
      // A folder of its own: work in progress in the checkout neither helps nor harms.
      const folder = mkdtempSync(join(tmpdir(), "fresh-build-"));
      try {
        done("tar", ["-x"], folder, done("git", ["archive", "HEAD"], root));
        linkModules(folder);
        const committed = bytesOf(join(folder, "dist"));
        // It computes for minutes: tests beside it that watch the clock go first.
        done("nice", [process.execPath, "scripts/bundle.ts"], folder);
        const built = bytesOf(join(folder, "dist"));
        expect([...built.keys()]).toEqual([...committed.keys()]);
        expect(
          [...built].filter(([path, bytes]) => committed.get(path) !== bytes).map(([path]) => path),
        ).toEqual([]);
        expect(built.size).toBeGreaterThan(0);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    BUILD_MS,
  );
});
