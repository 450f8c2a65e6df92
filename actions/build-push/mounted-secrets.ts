import { readFile } from "node:fs/promises";
import { type Dockerfile, readDockerfile } from "../../shared/dockerfile/index.ts";
import { nearestName, UserError } from "../../shared/failure/index.ts";
import type { PlannedBuild } from "./planned.ts";
import type { Problem } from "./problem.ts";
import type { Placed } from "./workspace.ts";

/**
 * Secrets that a Dockerfile mounts and nobody gives. BuildKit would mount none and go on, unless the
 * mount says `required=true`, and what is then made is an image that was not meant; a mount that
 * says `required=false` means it.
 */
export async function mountedSecretProblems(
  build: Placed<PlannedBuild>,
): Promise<readonly Problem[]> {
  const dockerfile = await readOf(build);
  const given = build.secrets.map(({ id }) => id);
  const missing = new Map(
    (dockerfile?.secrets ?? [])
      .filter(({ id, required }) => required !== false && !given.includes(id))
      .map((mount) => [mount.id, mount]),
  );
  return [...missing.values()].map(({ id, line }) => {
    const near = nearestName(id, given);
    const meant = near === undefined ? "" : ` (${near} is)`;
    const file = build.dockerfileShown;
    return {
      where: `${build.prefix}secrets`,
      problem: `${file}:${line} mounts the secret ${id}, which is not given${meant}; give it in secrets, or write required=false at the mount if the build can do without`,
      at: build.dockerfileInline === undefined ? { file, line } : build.at,
    };
  });
}

/** What else is wrong with a Dockerfile is told when it is built, beside the other services. */
async function readOf(build: Placed<PlannedBuild>): Promise<Dockerfile | undefined> {
  const { buildArgs, target, platforms, contexts, dockerfileInline } = build;
  try {
    const text = dockerfileInline ?? (await readFile(build.dockerfile, "utf8"));
    return readDockerfile(text, {
      buildArgs,
      target,
      platforms,
      contexts: Object.keys(contexts),
      file: build.dockerfileShown,
    });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
