export { code, codeBlock, details, escapeMarkdown, table } from "./markdown.ts";
