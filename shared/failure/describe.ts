import { inspect } from "node:util";

/** A chain of causes longer than this says nothing more; it may even be a circle. */
const DEEPEST = 8;

/**
 * Text for anything that was thrown, also for what is not an Error. Nested causes (as `fetch`
 * makes them) are appended, for the outer message alone says little, and of several errors in one
 * (as a connection to several addresses makes them) all are named. Never throws itself.
 */
export function describe(thrown: unknown): string {
  try {
    return describeTo(DEEPEST, thrown);
  } catch {
    // A hostile getter or proxy.
    return "an error that cannot be described";
  }
}

/** The stack trace where there is one, with those of its causes; otherwise what `describe` says. */
export function stackOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error) || typeof thrown.stack !== "string") return describe(thrown);
    return thrown.cause instanceof Error ? inspect(thrown, { depth: 4 }) : thrown.stack;
  } catch {
    return describe(thrown);
  }
}

function describeTo(depth: number, thrown: unknown): string {
  if (!(thrown instanceof Error)) return describeNonError(thrown);
  const inner = depth > 1 ? causesOf(thrown).map((cause) => describeTo(depth - 1, cause)) : [];
  const several = [...new Set(inner)].join("; ");
  if (several === "") return thrown.message || codeOf(thrown) || thrown.name;
  // An AggregateError of net.connect has no message of its own.
  if (thrown.message === "") return several;
  return thrown.message.includes(several) ? thrown.message : `${thrown.message}: ${several}`;
}

function causesOf(error: Error): readonly unknown[] {
  if (error instanceof AggregateError) return error.errors;
  // A UserError's cause is a sentence that its message holds already.
  const { cause } = error;
  return cause === undefined || cause === null ? [] : [cause];
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
  return codeWithin(DEEPEST, thrown);
}

function codeWithin(depth: number, thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || depth === 0) return undefined;
  const { code, cause, errors } = thrown as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === "string") return code;
  const within = (inner: unknown) => codeWithin(depth - 1, inner);
  return within(cause) ?? (Array.isArray(errors) ? within(errors[0]) : undefined);
}
