import type { WrittenBackup } from "../../shared/backup/index.ts";
import { timeline } from "../../shared/journal/index.ts";
import { bytesInWords, countInWords, secondsInWords } from "../../shared/quantity/index.ts";
import { code, details, escapeMarkdown, table } from "../../shared/report/index.ts";
import type { Story } from "./story.ts";

/** The job summary: what was backed up and where, how large it is, what was left out, what went. */
export function summarize(written: WrittenBackup, location: string, story: Story): string {
  const { manifest } = written;
  const { journal, retained } = story;
  const seconds = journal.elapsed() / 1_000;
  return [
    headline(manifest.name, retained?.failure?.title),
    `${code(manifest.id)} of ${escapeMarkdown(manifest.subject)}, in ${code(location)}, in ${secondsInWords(seconds)}\n`,
    "It was not restored yet: verify-backup proves that it can be.\n",
    table(["", ""], rowsOf(written)),
    sentences("Left out by intent", manifest.excluded),
    sentences("Worth knowing", manifest.notes),
    retained === undefined
      ? ""
      : retained.words.map((line) => `- ${escapeMarkdown(line)}\n`).join(""),
    timeline("backup", journal.phases, seconds),
    details(
      "Files and their SHA-256",
      table(
        ["file", "size", "SHA-256"],
        [...manifest.parts, manifest.fingerprint]
          .slice(0, 200)
          .map((part) => [
            code(part.file),
            bytesInWords(part.storedBytes),
            code(part.storedSha256),
          ]),
      ),
    ),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** What was asked for is done only when retention is done too. */
function headline(name: string, failure: string | undefined): string {
  const done = `${escapeMarkdown(name)} is backed up`;
  return failure === undefined
    ? `## ✅ ${done}\n`
    : `## ❌ ${done}, but: ${escapeMarkdown(failure)}\n`;
}

function rowsOf(written: WrittenBackup): string[][] {
  const { manifest, bytes, storedBytes, isSigned } = written;
  const measures = Object.entries(manifest.measures)
    .filter(([name]) => name !== "bytes")
    .map(([name, count]) => `${name}: ${countInWords(count)}`);
  const sealed = manifest.parts[0];
  return [
    ["Shows the moment", escapeMarkdown(manifest.taken)],
    ["Holds", escapeMarkdown(measures.join(", "))],
    ["Size", `${bytesInWords(bytes)}, ${bytesInWords(storedBytes)} as stored`],
    ["Compressed", sealed?.compression ?? "none"],
    ["Encrypted", sealed?.encryption ?? "none"],
    ["Signed", isSigned ? "yes" : "no"],
    ["Fingerprint", code(manifest.fingerprint.sha256)],
    ...Object.entries(manifest.source).map(([name, value]) => [
      escapeMarkdown(name),
      escapeMarkdown(value),
    ]),
  ];
}

function sentences(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `**${title}**\n\n${lines.map((line) => `- ${escapeMarkdown(line)}`).join("\n")}\n`;
}
