import { type Place, UserError, type UserErrorParts } from "../failure/index.ts";
import { type DockerfileLocation, shorten } from "./build-error.ts";
import type { FailedBuild } from "./failed-build.ts";
import { knownFailure } from "./known-failures.ts";
import { stepFailure } from "./step-failure.ts";

const LAST_LINES = 20;

/** A failed build, told so that its author knows where to look. */
export function buildFailure(failed: FailedBuild): UserError {
  const { located } = failed;
  const parts =
    knownFailure(failed) ??
    (located === undefined ? anyFailure(failed) : stepFailure(failed, located));
  const { tried } = failed;
  const cause = `${origin(failed)}${parts.cause}${tried === undefined ? "" : ` ${tried}`}`;
  return new UserError({ ...parts, cause, ...proof(failed) });
}

function origin({ builtOn }: FailedBuild): string {
  return builtOn === undefined ? "" : `It is built on ${builtOn}: `;
}

function anyFailure({ name, error }: FailedBuild): UserErrorParts {
  return {
    title: `${name}: the build failed`,
    cause: `buildx says: ${shorten(error) || "nothing"}.`,
    remedy: "The log above shows how far the build came.",
  };
}

/** The Dockerfile's lines and the end of what the failed instruction printed. */
function proof(build: FailedBuild): { readonly evidence?: string; readonly at?: Place } {
  const { failed, located, dockerfile, annotated, text } = build;
  const parts = [
    ...(located === undefined ? [] : quoted(dockerfile, located)),
    ...(failed === undefined || failed.output.length === 0
      ? []
      : ["", `Output of ${shorten(failed.name)}:`, ...failed.output]),
  ];
  const rest = parts.length > 0 ? parts : text.slice(-LAST_LINES);
  return {
    ...(rest.length === 0 ? {} : { evidence: rest.join("\n").trim() }),
    ...(located === undefined || !annotated
      ? {}
      : { at: { file: dockerfile, line: located.line } }),
  };
}

function quoted(dockerfile: string, { line, excerpt, instruction }: DockerfileLocation): string[] {
  return [`${dockerfile}:${line}`, ...(excerpt.length > 0 ? excerpt : [`>>> ${instruction}`])];
}
