import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { minify } from "@swc/core";
import { actionNames, root } from "./action-manifest.ts";

/**
 * Builds dist/<action>/ for every folder in actions/: TypeScript to lib/, one bundle each by ncc,
 * then comments and white space taken out. Names stay, so that a stack trace still speaks.
 * The same sources always give the same bytes.
 */

/** Bundles at once: each takes a processor, and 700 MB. */
const AT_ONCE = Math.min(2, availableParallelism());

/** Runs a tool of this checkout: ncc's output depends on the ncc and the folder it runs from. */
async function run(tool: string, args: readonly string[]): Promise<void> {
  const program = join(root, "node_modules", ".bin", tool);
  const child = spawn(program, args, { cwd: root, stdio: "inherit" });
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Packages that do not tell the bundler that their modules have no side effects. The Kubernetes
 * client drags in 18 MB of generated classes that nothing here uses (docs/decisions/0003), and
 * @actions/core an HTTP client for tokens that nothing asks for, which doubles the time to start.
 */
const SIDE_EFFECT_FREE = ["@kubernetes/client-node", "@actions/core", "@actions/http-client"];

function declareSideEffectFree(packageName: string): void {
  const file = join(root, "node_modules", packageName, "package.json");
  const description = JSON.parse(readFileSync(file, "utf8"));
  if (description.sideEffects === false) return;
  // The file may be linked to from another folder of modules, which stays as it is.
  const fresh = `${file}.new`;
  writeFileSync(fresh, `${JSON.stringify({ ...description, sideEffects: false }, null, 2)}\n`);
  renameSync(fresh, file);
}

async function strip(file: string): Promise<void> {
  const { code } = await minify(readFileSync(file, "utf8"), {
    module: true,
    compress: false,
    mangle: false,
    format: { comments: false },
  });
  writeFileSync(file, `${code}\n`);
}

/** Paths of the bundled files, sorted, relative to the action's folder in dist/. */
function scriptsIn(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".js")).sort();
}

async function bundle(action: string): Promise<void> {
  const out = join(root, "dist", action);
  rmSync(out, { recursive: true, force: true });
  const entry = relative(root, join(root, "lib", "actions", action, "main.js"));
  const args = ["build", entry, "-o", relative(root, out), "-C", "-q", "--license", "licenses.txt"];
  await run("ncc", args);
  for (const file of scriptsIn(out)) await strip(join(out, file));
}

/** Bundles these, some at once. */
async function bundleAll(actions: readonly string[]): Promise<void> {
  const waiting = actions.values();
  const lane = async () => {
    for (const action of waiting) await bundle(action);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

if (import.meta.main) {
  const asked = process.argv.slice(2);
  const actions = asked.length > 0 ? asked : actionNames();
  if (asked.length === 0) rmSync(join(root, "dist"), { recursive: true, force: true });
  rmSync(join(root, "lib"), { recursive: true, force: true });
  await run("tsc", ["-p", "tsconfig.build.json"]);
  for (const name of SIDE_EFFECT_FREE) declareSideEffectFree(name);
  await bundleAll(actions);
  console.log(`built ${actions.map((action) => `dist/${action}`).join(", ")}`);
}
