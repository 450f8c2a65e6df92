/**
 * One line of text for anything that was thrown, also for what is not an Error.
 * Nested causes (as `fetch` makes them) are appended, for the outer message alone says little.
 */
export function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return describeNonError(thrown);
  const inner = thrown instanceof AggregateError ? thrown.errors[0] : thrown.cause;
  const own = thrown.message || codeOf(thrown) || thrown.name;
  if (inner === undefined || inner === null || typeof inner === "string") return own;
  return `${own}: ${describe(inner)}`;
}

function describeNonError(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return String(thrown);
  }
}

/** The system's or library's error code (`ECONNREFUSED`), searched through nested causes. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  const { code, cause, errors } = thrown as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === "string") return code;
  return codeOf(cause) ?? (Array.isArray(errors) ? codeOf(errors[0]) : undefined);
}
