/** Text from anywhere, made harmless inside GitHub-flavoured Markdown, on one line. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\r\n\t]+/g, " ")
    .replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign)
    .replace(/([\\`*_{}[\]()#+!|~@-])/g, "\\$1");
}

/** Inline code; backticks within are replaced, for no escape exists for them in a table. */
export function code(text: string): string {
  const plain = text
    .replace(/[\r\n\t]+/g, " ")
    .replaceAll("`", "'")
    .replaceAll("|", "\\|");
  return plain === "" ? "" : `\`${plain}\``;
}

/** A fenced block, its fence longer than any run of backticks within. */
export function codeBlock(text: string, language = ""): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}${language}\n${text}\n${fence}\n`;
}

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n").concat("\n");
}

/** A block that opens on a click. */
export function details(summary: string, body: string): string {
  return `<details><summary>${escapeMarkdown(summary)}</summary>\n\n${body}\n</details>\n`;
}
