import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./action-manifest.ts";

/**
 * The repository's place on GitHub is written once, in package.json's `repository` field
 * (`github:owner/name`), and the released major version once, in its `version`. Every `uses:` line
 * that names an action or reusable workflow of this repository is made from them.
 */

interface Repository {
  readonly slug: string;
  readonly ref: string;
}

function repository(): Repository {
  const { repository, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const slug = String(repository).replace(/^github:/, "");
  return { slug, ref: `v${String(version).split(".")[0]}` };
}

const OURS =
  /(uses:\s*)[\w.-]+\/[\w.-]+\/((?:actions\/[a-z-]+|\.github\/workflows\/[a-z-]+\.yml))@[\w./-]+/g;

/** The text with owner, name and version in each `uses:` line of ours brought up to date. */
export function rewriteUses(text: string): string {
  const { slug, ref } = repository();
  return text.replace(OURS, (_, uses, path) => `${uses}${slug}/${path}@${ref}`);
}

/** All documents in which users see `uses:` lines, relative to the root. */
export function markdownFiles(): string[] {
  const patterns = ["*.md", "actions/*/*.md", "docs/**/*.md", "examples/**/*.md"];
  return globSync([...patterns, "examples/**/.github/workflows/*.yml"], {
    cwd: root,
    exclude: (path) => path.includes("node_modules"),
  }).sort();
}
