import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { actionManifest, actionNames, root } from "./action-manifest.ts";
import { markdownFiles, rewriteUses } from "./uses-lines.ts";

/**
 * Writes what the documentation repeats from elsewhere: each action's tables of inputs and
 * outputs, the table of actions in the main README, and the owner, name and version in every
 * `uses:` line. With --check it writes nothing and fails when a file is stale.
 */

/** Every generated file with the text it should hold, by path relative to the root. */
export function generatedDocs(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const read = (path: string) => files.get(path) ?? readFileSync(join(root, path), "utf8");
  for (const action of actionNames()) {
    const path = `actions/${action}/README.md`;
    if (!existsSync(join(root, path))) throw new Error(`${path} is missing`);
    const withInputs = section(read(path), "inputs", inputTable(action), path);
    files.set(path, section(withInputs, "outputs", outputTable(action), path));
  }
  files.set("README.md", section(read("README.md"), "actions", actionTable(), "README.md"));
  for (const path of markdownFiles()) files.set(path, rewriteUses(read(path)));
  return files;
}

function section(text: string, name: string, body: string, path: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`${path} has no ${open} ... ${close}`);
  return `${text.slice(0, from + open.length)}\n${body}${text.slice(to)}`;
}

function inputTable(action: string): string {
  const rows = Object.entries(actionManifest(action).inputs).map(([name, input]) => {
    const fallback = input.default ? `\`${cell(input.default)}\`` : "";
    const given = input.required === true ? "**required**" : fallback;
    return `| \`${name}\` | ${cell(input.description)} | ${given} |\n`;
  });
  return `| input | what it is | default |\n| --- | --- | --- |\n${rows.join("")}`;
}

function outputTable(action: string): string {
  const rows = Object.entries(actionManifest(action).outputs).map(
    ([name, { description }]) => `| \`${name}\` | ${cell(description)} |\n`,
  );
  return `| output | what it is |\n| --- | --- |\n${rows.join("")}`;
}

function actionTable(): string {
  const rows = actionNames().map(
    (action) =>
      `| [${action}](actions/${action}) | ${cell(actionManifest(action).description)} |\n`,
  );
  return `| action | what it does and proves |\n| --- | --- |\n${rows.join("")}`;
}

function cell(text: string): string {
  return text
    .trim()
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");
}

if (import.meta.main) {
  const check = process.argv.includes("--check");
  const stale = [...generatedDocs()].filter(
    ([path, text]) => readFileSync(join(root, path), "utf8") !== text,
  );
  for (const [path, text] of check ? [] : stale) writeFileSync(join(root, path), text);
  for (const [path] of stale) console.log(`${check ? "stale" : "written"}: ${path}`);
  if (check && stale.length > 0) {
    console.error("Run `npm run docs` and commit what it writes.");
    process.exitCode = 1;
  }
}
