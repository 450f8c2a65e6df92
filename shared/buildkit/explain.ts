import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import type { UserError } from "../failure/index.ts";
import { nameOf } from "../images/index.ts";
import type { BakeProgress } from "./bake-progress.ts";
import type { BakeTarget } from "./bake-target.ts";
import {
  buildxError,
  type DockerfileLocation,
  findInstruction,
  isQuotedFrom,
  locateInDockerfile,
} from "./build-error.ts";
import { buildFailure } from "./build-failure.ts";
import type { Entry } from "./entry.ts";
import type { FailedBuild } from "./failed-build.ts";
import { missingPath } from "./known-failures.ts";
import { whyMissing } from "./missing-file.ts";
import { redacted } from "./redacted.ts";
import type { Kitchen } from "./run-bake.ts";

/**
 * Says why a target broke, with what the files of the workspace add to buildx's words: whose
 * Dockerfile it quotes, on which line the step stands, why a file was not seen.
 *
 * @param involved the target first, then those that it is built on.
 */
export async function explain(
  involved: readonly Entry[],
  progress: BakeProgress,
  { builder, secrets }: Pick<Kitchen, "builder" | "secrets">,
): Promise<UserError | undefined> {
  const [entry] = involved;
  if (entry === undefined) return undefined;
  const { target, key } = entry;
  const error = buildxError(progress.text);
  const failed = involved.flatMap((each) => progress.failed(each.key, error) ?? [])[0];
  const texts = await Promise.all(involved.map((each) => dockerfileOf(each.target)));
  const { located, at } = place(texts, locateInDockerfile(progress.text), failed?.name);
  const owner = involved[at]?.target ?? target;
  const path = missingPath(error);
  const build: FailedBuild = {
    name: target.name,
    dockerfile: owner.dockerfileShown,
    annotated: owner.dockerfileInline === undefined && texts[at] !== undefined,
    builtOn: owner === target ? undefined : owner.name,
    image: target.repository === undefined ? "" : nameOf(target.repository),
    builder,
    error,
    located,
    failed,
    stopped: progress.of(key)?.stopped,
    tried: entry.tried,
    missing: path === undefined ? undefined : await whyMissing(owner, path),
    text: progress.text,
  };
  return buildFailure(redacted(build, secrets));
}

async function dockerfileOf(target: BakeTarget): Promise<string | undefined> {
  if (target.dockerfileInline !== undefined) return target.dockerfileInline;
  // That of an address is at that address.
  if (!isAbsolute(target.context)) return undefined;
  return readFile(target.dockerfile, "utf8").catch(() => undefined);
}

/** Where it broke, and in the how manieth of the Dockerfiles. */
function place(
  texts: readonly (string | undefined)[],
  quoted: DockerfileLocation | undefined,
  step: string | undefined,
): { readonly located: DockerfileLocation | undefined; readonly at: number } {
  if (quoted !== undefined) {
    const at = texts.findIndex((text) => text !== undefined && isQuotedFrom(text, quoted));
    return { located: quoted, at: Math.max(at, 0) };
  }
  for (const [at, text] of texts.entries()) {
    const located =
      text === undefined || step === undefined ? undefined : findInstruction(text, step);
    if (located !== undefined) return { located, at };
  }
  return { located: undefined, at: 0 };
}
