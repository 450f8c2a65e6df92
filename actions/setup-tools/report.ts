import { Cancelled } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Ready } from "../../shared/tools/index.ts";

/** What came of one tool. */
export interface Result {
  readonly tool: string;
  /** The version as the user asked for it. */
  readonly asked: string;
  readonly seconds: number;
  readonly ready: Ready | undefined;
  readonly failure: UserError | undefined;
}

/** The output `tools`: what later steps have. Tools that could not be had are not in it. */
export function report(results: readonly Result[]): Readonly<Record<string, object>> {
  const entries = results.flatMap(({ tool, asked, seconds, ready }) => {
    if (ready === undefined) return [];
    const { version, path, source, sha256, checked } = ready;
    return [[tool, { version, path, source, sha256, checked, asked, seconds }] as const];
  });
  return Object.fromEntries(entries);
}

/** Why the step fails; undefined when every tool is ready. */
export function failureOf(results: readonly Result[], signal: AbortSignal): UserError | undefined {
  const ready = results.flatMap((result) => (result.ready === undefined ? [] : [result.tool]));
  if (signal.aborted) return cancelled(ready, signal);
  const failed = results.flatMap((result) => result.failure ?? []);
  const [first, ...others] = failed;
  if (first === undefined || others.length === 0) return first;
  return new UserError({
    title: `${failed.length} of ${results.length} tools could not be set up`,
    cause: failed.map(({ title, cause }) => `${title}: ${cause}`).join("\n"),
    remedy: [...new Set(failed.map(({ remedy }) => remedy))].join("\n"),
  });
}

function cancelled(ready: readonly string[], signal: AbortSignal): UserError {
  const cause = signal.reason instanceof Cancelled ? signal.reason.cause : "The job was cancelled.";
  const done = ready.length === 0 ? "No tool was ready" : `${ready.join(", ")} were ready`;
  return new UserError({
    title: "Cancelled",
    cause: `${cause} ${done}; what was half fetched is removed.`,
    remedy: "Run the job again: what is in the cache is used.",
  });
}
