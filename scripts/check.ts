import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./action-manifest.ts";

/**
 * Everything about the source that can be told without running it: format and lint, types,
 * layers, dead code, and whether the generated documentation is up to date. All are run, so that
 * one call shows all there is to mend.
 */

interface Check {
  readonly name: string;
  readonly tool: string;
  readonly args: readonly string[];
  /** What the tool's output must match, for tools that pass when they saw nothing. */
  readonly proof?: RegExp;
}

const checks: readonly Check[] = [
  { name: "format and lint", tool: "biome", args: ["ci", "--error-on-warnings", "."] },
  { name: "types", tool: "tsc", args: ["--noEmit"] },
  {
    name: "layers",
    tool: "depcruise",
    args: ["--config", ".dependency-cruiser.js", "actions", "shared"],
    proof: /\(\d{2,} modules/,
  },
  { name: "dead code", tool: "knip", args: ["--no-progress"] },
  { name: "documentation", tool: "node", args: ["scripts/docs.ts", "--check"] },
];

function passes({ name, tool, args, proof }: Check): boolean {
  const program = join(root, "node_modules", ".bin", tool);
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: root,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  const passed = status === 0 && (proof === undefined || proof.test(stdout));
  console.log(`${passed ? "ok    " : "FAILED"}  ${name}`);
  if (!passed) console.log(`${stdout}${stderr}`);
  return passed;
}

const failed = checks.map(passes).filter((passed) => !passed).length;
process.exitCode = failed === 0 ? 0 : 1;
