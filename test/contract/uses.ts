import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { actionManifest, actionNames, root } from "../../scripts/action-manifest.ts";
import { markdownFiles } from "../../scripts/uses-lines.ts";

/** One `uses:` that a user may copy, with what it is given. */
export interface Use {
  /** The file that it stands in, relative to the root. */
  readonly file: string;
  readonly uses: string;
  readonly id: string | undefined;
  readonly given: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, unknown>>;
}

/** The workflows of the repository and of its examples, relative to the root. */
export function workflowFiles(): string[] {
  const patterns = [".github/workflows/*.yml", "examples/*/.github/workflows/*.yml"];
  return globSync(patterns, { cwd: root }).sort();
}

/** Every document that holds YAML with `uses:` in it: workflows whole, Markdown by its blocks. */
export function documents(): { readonly file: string; readonly yaml: string }[] {
  const markdown = markdownFiles().filter((file) => file.endsWith(".md"));
  const blocks = markdown.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const found = text.matchAll(/^(?<fence>`{3,})ya?ml\n(?<yaml>[\s\S]*?)^\k<fence>\s*$/gm);
    return [...found].map(({ groups }) => ({ file, yaml: groups?.yaml ?? "" }));
  });
  const workflows = [
    ...workflowFiles(),
    ...actionNames().map((name) => `actions/${name}/action.yml`),
  ];
  return [
    ...blocks,
    ...workflows.map((file) => ({ file, yaml: readFileSync(join(root, file), "utf8") })),
  ].filter(({ yaml }) => /^\s*(- )?uses:/m.test(yaml));
}

/** All `uses:` of all documents. */
export function allUses(): Use[] {
  return documents().flatMap(({ file, yaml }) => usesIn(file, load(yaml)));
}

function usesIn(file: string, node: unknown): Use[] {
  if (Array.isArray(node)) return node.flatMap((item) => usesIn(file, item));
  if (typeof node !== "object" || node === null) return [];
  const { uses, with: given, secrets, id } = node as Record<string, unknown>;
  const own: Use[] =
    typeof uses === "string"
      ? [
          {
            file,
            uses,
            id: id as string | undefined,
            given: given ?? {},
            secrets: secrets ?? {},
          } as Use,
        ]
      : [];
  return [...own, ...Object.values(node).flatMap((item) => usesIn(file, item))];
}

/** What an action or a workflow of this repository takes. */
export interface Accepted {
  readonly inputs: ReadonlyMap<string, boolean>;
  readonly secrets: ReadonlyMap<string, boolean>;
}

/** What is behind a `uses:` of ours, each name with whether it is required; else undefined. */
export function acceptedBy({ uses }: Use): Accepted | undefined {
  const action = /(?:^\.|^\$|\/)\/?actions\/([a-z-]+)(?:@|$)/.exec(uses)?.[1];
  if (action !== undefined && isOurs(uses)) {
    return { inputs: requiredOf(actionManifest(action).inputs), secrets: new Map() };
  }
  const workflow = /\.github\/workflows\/([a-z-]+\.yml)(?:@|$)/.exec(uses)?.[1];
  if (workflow === undefined || !isOurs(uses)) return undefined;
  const text = readFileSync(join(root, ".github", "workflows", workflow), "utf8");
  const { on } = load(text) as { on: { workflow_call: Record<string, Requirements> } };
  const { inputs, secrets } = on.workflow_call;
  return { inputs: requiredOf(inputs), secrets: requiredOf(secrets) };
}

/** Owner and name of this repository on GitHub. */
export const slug = String(
  JSON.parse(readFileSync(join(root, "package.json"), "utf8")).repository,
).replace(/^github:/, "");

/** Whether a `uses:` names something of this repository. */
export function isOurs(uses: string): boolean {
  return uses.startsWith("./") || uses.startsWith("$/") || uses.startsWith(`${slug}/`);
}

type Requirements = Readonly<Record<string, { readonly required?: boolean }>> | undefined;

function requiredOf(declared: Requirements): Map<string, boolean> {
  const entries = Object.entries(declared ?? {});
  return new Map(entries.map(([name, { required }]) => [name, required === true]));
}
