import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { root } from "../../../scripts/action-manifest.ts";
import { ownTool, runTool } from "../tool.ts";
import { violations } from "./violations.ts";

/** The names of the rules; the tool's own configuration is JavaScript without types. */
const { default: configuration } = (await import(
  pathToFileURL(join(root, ".dependency-cruiser.js")).href
)) as { default: { readonly forbidden: readonly { readonly name: string }[] } };

interface Cruise {
  readonly modules: readonly unknown[];
  readonly summary: {
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
    }[];
  };
}

function cruise(folder: string, folders: readonly string[]): Cruise {
  const config = join(folder, ".dependency-cruiser.js");
  const args = ["--config", config, "--output-type", "json", ...folders];
  const { stdout, stderr } = runTool(ownTool("depcruise"), args, folder);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Cruise;
}

/** The rules that a small project of these files breaks. */
function brokenBy(files: Readonly<Record<string, string>>): string[] {
  const folder = mkdtempSync(join(tmpdir(), "layers-"));
  try {
    for (const name of [".dependency-cruiser.js", "tsconfig.json", "package.json"]) {
      cpSync(join(root, name), join(folder, name));
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    for (const name of ["actions", "shared"]) mkdirSync(join(folder, name));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const { summary } = cruise(folder, ["actions", "shared"]);
    return summary.violations.map(({ rule }) => rule.name);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the layers", () => {
  it("are kept", () => {
    const { modules, summary } = cruise(root, ["actions", "shared"]);
    expect(summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`)).toEqual([]);
    // Without its parser the tool sees no TypeScript, and is content.
    expect(modules.length).toBeGreaterThan(30);
  });

  it.each(configuration.forbidden.map(({ name }) => name))("a violation of %s is seen", (rule) => {
    const files = violations[rule];
    if (files === undefined) throw new Error(`add sources to violations.ts that break ${rule}`);
    expect(brokenBy(files)).toContain(rule);
  });
});
