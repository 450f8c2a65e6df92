import { code, escapeMarkdown } from "../report/index.ts";

/** Base64 text shorter than this appears by chance. */
const SHORTEST_BASE64 = 8;

/**
 * The ways in which a text may turn up in a log or a report: as it is, within JSON, a URL or a
 * form, HTML, our own Markdown, and in base64, also as a part of something longer.
 */
export function spellingsOf(text: string): string[] {
  const inUrl = encodeURIComponent(text.toWellFormed());
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    inUrl,
    inUrl.replaceAll("%20", "+"),
    escapeHtml(text),
    escapeMarkdown(text),
    code(text).slice(1, -1),
    ...base64PartsOf(text),
  ];
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

/**
 * Base64 takes three bytes at a time, so what a text becomes within a longer one depends on where
 * it begins there: three ways, each without the bytes at its ends that share a group with others.
 */
function base64PartsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const within = [0, 1, 2].map((skipped) => {
    const whole = Math.floor((bytes.length - skipped) / 3) * 3;
    return bytes.subarray(skipped, skipped + Math.max(whole, 0));
  });
  const parts = [bytes, ...within].flatMap((part) => [
    part.toString("base64"),
    part.toString("base64url"),
  ]);
  return parts.filter((part) => part.length >= SHORTEST_BASE64);
}
