import { stripVTControlCharacters } from "node:util";

/** Control characters but tab and line breaks, and those that turn the direction of text about. */
const UNPRINTABLE = /[^\P{Cc}\t\r\n]|[\u202a-\u202e\u2066-\u2069]/gu;

function printable(text: string): string {
  return stripVTControlCharacters(text).replace(UNPRINTABLE, "");
}

function onOneLine(text: string): string {
  return printable(text).replace(/[\r\n\t\u2028\u2029]+/g, " ");
}

/** Text from anywhere, made harmless inside GitHub-flavoured Markdown, on one line. */
export function escapeMarkdown(text: string): string {
  return (
    onOneLine(text)
      .replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign)
      .replace(/([\\`*_{}[\]()#+!|~@-])/g, "\\$1")
      // A digit and a stop begin a list; two dollar signs, a formula.
      .replace(/^(\s*\d+)\./, "$1\\.")
      .replaceAll("$", () => "<span>$</span>")
  );
}

/** Inline code, also within a table. */
export function code(text: string): string {
  const plain = onOneLine(text);
  if (plain === "") return "";
  // Neither sign can be had within backticks everywhere; within an element both can.
  if (/[`|]/.test(plain)) return `<code>${escapeMarkdown(plain)}</code>`;
  return `\`${plain}\``;
}

/** A fenced block, its fence longer than any run of backticks within. */
export function codeBlock(text: string, language = ""): string {
  const plain = printable(text);
  const longest = plain.match(/`+/g)?.reduce((most, run) => Math.max(most, run.length), 0) ?? 0;
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}${language}\n${plain}\n${fence}\n`;
}

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.trim().replace(/\s*[\r\n]+\s*/g, "<br>")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n").concat("\n");
}

/** A block that opens on a click. */
export function details(summary: string, body: string): string {
  return `<details><summary>${escapeMarkdown(summary)}</summary>\n\n${body}\n</details>\n`;
}
