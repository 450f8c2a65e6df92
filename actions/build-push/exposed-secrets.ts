import { secretLooking } from "../../shared/secrets/index.ts";
import type { Options } from "./inputs.ts";
import type { PlannedBuild } from "./planned.ts";
import { type Problem, quoted } from "./problem.ts";

/**
 * Secrets, or what looks like one, where all who can pull the image read them: in build arguments,
 * which stand in the image's history and provenance, in labels, annotations and the addresses of
 * contexts. Pure.
 *
 * @param isKnownSecret whether the text is or holds a secret of this job, or of this build.
 */
export function exposedSecrets(
  build: Pick<PlannedBuild, "prefix" | "buildArgs" | "labels" | "annotations" | "contexts" | "at">,
  { publicBuildArgs = [] }: Pick<Options, "publicBuildArgs">,
  isKnownSecret: (text: string) => boolean,
): readonly Problem[] {
  const { prefix, buildArgs, labels, annotations, contexts, at } = build;
  const problems: Problem[] = [];
  const add = (key: string, name: string, problem: string) => {
    problems.push({ where: `${prefix}${key}`, problem: `${quoted(name)}: ${problem}`, at });
  };
  for (const [name, value] of Object.entries(buildArgs)) {
    if (publicBuildArgs.includes(name)) continue;
    const looks = secretLooking(name, value, isKnownSecret);
    if (looks === undefined) continue;
    add(
      "build-args",
      name,
      `${looks}, and build arguments are kept in the image; give it in secrets, or list its name in public-build-args if anybody may know it`,
    );
  }
  for (const [key, texts] of Object.entries({ labels, annotations, contexts })) {
    for (const [name, value] of Object.entries(texts)) {
      // A name alone says little here: `token` may be the label of a service that makes some.
      const looks = secretLooking("", value, isKnownSecret);
      if (looks !== undefined) {
        add(key, name, `${looks}, and ${key} can be read by all who can pull the image`);
      }
    }
  }
  return problems;
}
