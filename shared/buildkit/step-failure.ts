import type { UserErrorParts } from "../failure/index.ts";
import { type DockerfileLocation, shorten } from "./build-error.ts";
import type { FailedBuild } from "./failed-build.ts";

const KILLED = 137;
const FULL = /no space left on device/i;

/** The failure of an instruction of the Dockerfile. */
export function stepFailure(build: FailedBuild, located: DockerfileLocation): UserErrorParts {
  const { name, dockerfile, error, failed } = build;
  const where = `${dockerfile}:${located.line}`;
  if (/^dockerfile parse error|^unterminated heredoc|^failed to parse stage name/.test(error)) {
    return {
      title: `${name}: the Dockerfile has a mistake`,
      cause: `${where}: ${shorten(error.replace(/^dockerfile parse error on line \d+: /, ""))}.`,
      remedy: "Correct that line.",
    };
  }
  // The command stands in the instruction already.
  const why = error.replace(/^process ".*" did not complete successfully: /s, "");
  const full = failed?.output.find((line) => FULL.test(line));
  const last = full?.trim() ?? failed?.lastWords;
  const words = last === undefined || why.includes(last) ? "" : ` Its last words: ${last}`;
  return {
    title: `${name}: ${full === undefined ? "the Dockerfile does not build" : "the builder's disk is full"}`,
    cause: `${where}: ${shorten(located.instruction)} failed: ${shorten(why)}.${words}`,
    remedy: remedyOf(why, failed?.output.join("\n") ?? ""),
  };
}

function remedyOf(why: string, output: string): string {
  if (/exec format error/.test(`${why} ${output}`)) {
    return "That program is made for another kind of processor: build on a builder that has the platform, or run docker/setup-qemu-action in a step before; or cross-compile, by FROM --platform=$BUILDPLATFORM.";
  }
  if (/exec: "\/bin\/sh": stat \/bin\/sh: no such file/.test(output)) {
    return "The image has no shell at that line: write RUN with a list of words, or do it in a stage that has one.";
  }
  if (FULL.test(`${why} ${output}`)) {
    return "The builder's disk is full: make room there, by `docker buildx prune` for one.";
  }
  if (new RegExp(`exit code: ${KILLED}\\b`).test(why)) {
    return "It was killed, most often for want of memory: give the builder more, or let that step use less.";
  }
  return "Mend that line; what the instruction printed is below the error.";
}
