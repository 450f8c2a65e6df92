import { bytesInWords, countInWords, secondsInWords } from "../quantity/index.ts";
import { code, details, escapeMarkdown, table } from "../report/index.ts";
import type { Finding, Item } from "./finding.ts";
import { findingInWords } from "./finding-words.ts";
import { byWeight } from "./verdict.ts";
import type { Verification } from "./verification.ts";

const MOST_FINDINGS = 50;
const MOST_ITEMS = 100;

/** A verification for the job summary: verdict, objectives, what is wrong, the items, the limits. */
export function verificationSummary(verification: Verification): string {
  const parts = [headline(verification), objectives(verification)];
  const findings = byWeight(verification.findings);
  if (findings.length > 0) parts.push(findingsTable(findings));
  parts.push(picture(verification), itemsTable(verification), limits(verification));
  return parts.filter((part) => part !== "").join("\n");
}

/** The verdict in one sentence, without mark-up. */
export function headlineOf({
  verdict,
  name: series,
  backup,
  reached,
  tier,
  findings,
  items,
  evidence,
}: Verification): string {
  // Of other tools' files, a pattern is all the name that there is.
  const name = /[*?[{]/.test(series) ? backup : series;
  if (verdict === "passed") return passedLine(name, tier, { items, evidence });
  const against = findings.filter(({ weight }) => weight !== "note");
  const damaged = against.some(({ weight }) => weight === "damage");
  if (damaged) return `Backup ${name} is damaged`;
  if (against.length > 0) return `Backup ${name} cannot be relied on`;
  return `Backup ${name} was looked at only as far as ${reached}`;
}

/** What passed is proven only where it was compared, and was the same. */
function passedLine(
  name: string,
  tier: Verification["tier"],
  { items, evidence }: Pick<Verification, "items" | "evidence">,
): string {
  if (tier === "integrity") return `Backup ${name} is whole; it was not restored (${tier})`;
  if (items.some(({ same }) => same === false)) {
    return `Backup ${name} can be restored; it is not the same as what it was compared with (${tier})`;
  }
  const isEmptyByManifest = items.length === 0 && evidence.length > 0;
  if (isEmptyByManifest || items.some(({ same }) => same === true)) {
    return `Backup ${name} is proven (${tier})`;
  }
  return `Backup ${name} can be restored; what should be in it is not known (${tier})`;
}

function headline(verification: Verification): string {
  const mark = verification.verdict === "passed" ? "✅" : "❌";
  const { backup, subject, storage } = verification;
  return `## ${mark} ${escapeMarkdown(headlineOf(verification))}\n\n${code(backup)} of ${escapeMarkdown(subject)}, in ${code(storage)}\n`;
}

function objectives({ objectives, bytes, storedBytes, taken }: Verification): string {
  const { age, rpo, restore, rto, outlook } = objectives;
  const rows = [
    [
      "Recovery point",
      age === undefined ? "not known" : `${secondsInWords(age)} old`,
      rpo === undefined ? "no limit given" : `at most ${secondsInWords(rpo)}`,
      mark(age, rpo),
    ],
    [
      "Recovery time",
      restore === undefined ? "nothing was restored" : `restored in ${secondsInWords(restore)}`,
      rto === undefined ? "no limit given" : `at most ${secondsInWords(rto)}`,
      mark(restore, rto),
    ],
    ["Size", `${bytesInWords(bytes)}, ${bytesInWords(storedBytes)} as stored`, "", ""],
    ["Taken", escapeMarkdown(taken ?? "not known"), "", ""],
  ];
  const after = outlook === undefined ? "" : `\n${escapeMarkdown(outlook)}\n`;
  return `${table(["", "measured", "allowed", ""], rows)}${after}`;
}

function mark(value: number | undefined, limit: number | undefined): string {
  if (value === undefined || limit === undefined) return "";
  return value <= limit ? "✅" : "❌";
}

const MARKS = { damage: "❌", doubt: "⚠️", note: "ℹ️" } as const;

function findingsTable(findings: readonly Finding[]): string {
  const rows = findings
    .slice(0, MOST_FINDINGS)
    .map((finding) => [
      MARKS[finding.weight],
      code(finding.subject),
      escapeMarkdown(findingInWords(finding)),
      escapeMarkdown(finding.detector),
    ]);
  const rest = findings.length - rows.length;
  const more = rest > 0 ? `\nand ${countInWords(rest)} more, all in the report\n` : "";
  return `${table(["", "where", "what was found", "detector"], rows)}${more}`;
}

/** How many of the items are as they were, as a pie. */
function picture({ items, unit }: Verification): string {
  const same = items.filter((item) => item.same === true).length;
  const other = items.filter((item) => item.same === false).length;
  const unseen = items.length - same - other;
  if (items.length === 0) return "";
  const slices = [
    ["the same", same],
    ["different", other],
    [`counted only, or not compared`, unseen],
  ] as const;
  const lines = slices
    .filter(([, count]) => count > 0)
    .map(([words, count]) => `  "${words}" : ${count}`);
  return `\`\`\`mermaid\npie showData title ${items.length} compared by their ${unit}\n${lines.join("\n")}\n\`\`\`\n`;
}

function itemsTable({ items, unit }: Verification): string {
  if (items.length === 0) return "";
  const sorted = items.toSorted(
    (a, b) => rank(a) - rank(b) || (b.expected ?? 0) - (a.expected ?? 0),
  );
  const rows = sorted
    .slice(0, MOST_ITEMS)
    .map((item) => [code(item.name), count(item.expected), count(item.found), sameness(item)]);
  const rest = items.length - rows.length;
  const more = rest > 0 ? `\nand ${countInWords(rest)} more, all in the report\n` : "";
  const body = `${table(["", `${unit} expected`, `${unit} found`, "contents"], rows)}${more}`;
  return details(`${items.length} compared one by one`, body);
}

function rank({ same }: Item): number {
  return same === false ? 0 : same === undefined ? 1 : 2;
}

function count(value: number | undefined): string {
  return value === undefined ? "not known" : countInWords(value);
}

function sameness({ same }: Item): string {
  if (same === undefined) return "not compared";
  return same ? "✅ the same" : "❌ different";
}

function limits({ unknown, circumstances, evidence }: Verification): string {
  const facts = Object.entries(circumstances).map(([name, value]) => [
    escapeMarkdown(name),
    escapeMarkdown(value),
  ]);
  const cannot = unknown.map((sentence) => `- ${escapeMarkdown(sentence)}`).join("\n");
  const seen = evidence.map(({ file, bytes, sha256 }) => [
    code(file),
    bytesInWords(bytes),
    code(sha256),
  ]);
  return [
    cannot === "" ? "" : `**What this verification cannot know**\n\n${cannot}\n`,
    facts.length === 0 ? "" : details("How it was done", table(["", ""], facts)),
    seen.length === 0 ? "" : details("Evidence", table(["file", "size", "SHA-256"], seen)),
  ].join("\n");
}
