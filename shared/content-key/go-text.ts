/** White space to Go's unicode.IsSpace, which differs from JavaScript's in U+0085 and U+FEFF. */
const SPACE =
  "\\t\\n\\v\\f\\r \\u0085\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000";
const AROUND = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");

/** The text without white space around it, as Go's strings.TrimSpace gives it. */
export function goTrim(text: string): string {
  return text.replace(AROUND, "");
}
