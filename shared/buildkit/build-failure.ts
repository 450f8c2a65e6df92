import { type Place, UserError, type UserErrorParts } from "../failure/index.ts";
import {
  buildxError,
  type DockerfileLocation,
  locateInDockerfile,
  shorten,
} from "./build-error.ts";
import type { FailedStep } from "./build-event.ts";
import { type BuildSubject, knownFailure } from "./known-failures.ts";

/** How a build ended that failed. */
export interface FailedRun {
  /** The plain lines that buildx printed. */
  readonly text: readonly string[];
  readonly failed: FailedStep | undefined;
  /** The step that was under way when the build was ended from outside. */
  readonly stopped: string | undefined;
}

/** A failed build, told so that its author knows where to look. */
export function buildFailure(subject: BuildSubject, progress: FailedRun): UserError {
  const error = buildxError(progress.text);
  const located = locateInDockerfile(progress.text);
  const parts =
    knownFailure({ subject, error, located, during: progress.stopped }) ??
    (located === undefined
      ? anyFailure(subject, error)
      : instructionFailure(subject, located, error, progress.failed));
  return new UserError({ ...parts, ...proof(subject, progress) });
}

function instructionFailure(
  { name, dockerfile }: BuildSubject,
  { line, instruction }: DockerfileLocation,
  error: string,
  failed: FailedStep | undefined,
): UserErrorParts {
  // The command stands in the instruction already.
  const why = error.replace(/^process ".*" did not complete successfully: /s, "");
  const last = failed?.lastWords;
  const words = last === undefined || why.includes(last) ? "" : ` Its last words: ${last}`;
  return {
    title: `${name}: the Dockerfile does not build`,
    cause: `${dockerfile}:${line}: ${shorten(instruction)} failed: ${shorten(why)}.${words}`,
    remedy: "Mend that line; what the instruction printed is below the error.",
  };
}

function anyFailure({ name }: BuildSubject, error: string): UserErrorParts {
  return {
    title: `${name}: the build failed`,
    cause: `buildx says: ${shorten(error) || "nothing"}.`,
    remedy: "The log above shows how far the build came.",
  };
}

/** The Dockerfile's lines and the end of what the failed instruction printed. */
function proof(
  { dockerfile }: BuildSubject,
  progress: FailedRun,
): { readonly evidence?: string; readonly at?: Place } {
  const located = locateInDockerfile(progress.text);
  const { failed } = progress;
  const parts = [
    ...(located === undefined ? [] : [`${dockerfile}:${located.line}`, ...located.excerpt]),
    ...(failed === undefined || failed.output.length === 0
      ? []
      : ["", `Output of ${shorten(failed.name)}:`, ...failed.output]),
  ];
  const rest = parts.length > 0 ? parts : progress.text.slice(-20);
  return {
    ...(rest.length === 0 ? {} : { evidence: rest.join("\n").trim() }),
    ...(located === undefined ? {} : { at: { file: dockerfile, line: located.line } }),
  };
}
