import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";

/** An input as action.yml declares it. */
export interface DeclaredInput {
  readonly description: string;
  readonly required?: boolean;
  readonly default?: string;
}

/** The parts of an action.yml that documentation and contract tests read. */
export interface ActionManifest {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, DeclaredInput>>;
  readonly outputs: Readonly<Record<string, { readonly description: string }>>;
  readonly runs: { readonly using: string; readonly main: string };
}

export const root = join(import.meta.dirname, "..");

/** The folders of actions/, sorted: each is one action. */
export function actionNames(): string[] {
  const entries = readdirSync(join(root, "actions"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Reads actions/<action>/action.yml. */
export function actionManifest(action: string): ActionManifest {
  const text = readFileSync(join(root, "actions", action, "action.yml"), "utf8");
  return load(text) as ActionManifest;
}
