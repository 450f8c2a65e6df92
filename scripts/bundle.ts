import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { minify } from "@swc/core";
import { actionNames, root } from "./action-manifest.ts";

/**
 * Builds dist/<action>/ for every folder in actions/: TypeScript to lib/, one bundle each by ncc,
 * then comments and white space taken out. Names stay, so that a stack trace still speaks.
 * The same sources always give the same bytes.
 */

/** Runs a tool of this checkout: ncc's output depends on the ncc and the folder it runs from. */
function run(tool: string, args: readonly string[]): void {
  const program = join(root, "node_modules", ".bin", tool);
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (error !== undefined) throw error;
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
  writeFileSync(file, `${JSON.stringify({ ...description, sideEffects: false }, null, 2)}\n`);
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
  run("ncc", args);
  for (const file of scriptsIn(out)) await strip(join(out, file));
}

if (import.meta.main) {
  const asked = process.argv.slice(2);
  const actions = asked.length > 0 ? asked : actionNames();
  if (asked.length === 0) rmSync(join(root, "dist"), { recursive: true, force: true });
  rmSync(join(root, "lib"), { recursive: true, force: true });
  run("tsc", ["-p", "tsconfig.build.json"]);
  for (const name of SIDE_EFFECT_FREE) declareSideEffectFree(name);
  for (const action of actions) await bundle(action);
  console.log(`built ${actions.map((action) => `dist/${action}`).join(", ")}`);
}
