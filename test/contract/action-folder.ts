import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/action-manifest.ts";
import type { Inputs } from "../../shared/action/index.ts";

/** What the code of an action says of its inputs and outputs. */
export interface Declared {
  readonly inputs: Inputs;
  /** Without those that every action has. */
  readonly outputs: readonly string[];
}

/** Loads actions/<action>/inputs.ts. */
export async function declaredBy(action: string): Promise<Declared> {
  const file = join(root, "actions", action, "inputs.ts");
  return (await import(pathToFileURL(file).href)) as Declared;
}

/** The names of the files in an action's folder, sorted. */
export function filesOf(action: string): string[] {
  return readdirSync(join(root, "actions", action)).sort();
}

export function textOf(...path: readonly string[]): string {
  return readFileSync(join(root, ...path), "utf8");
}
