import type { Problem } from "./problem.ts";

/**
 * Inputs of docker's own actions that this one does not have, with what to do instead. A runner
 * only warns of an input that does not exist; who comes from there would get another image than
 * was asked for. The page docs/migrating-from-docker-actions.md tells of all of them.
 */
const INSTEAD: Readonly<Record<string, string>> = {
  "add-hosts": "give extra-hosts to the service, in services",
  attests: "give provenance, sbom and sbom-generator",
  "cache-from": "give cache, such as gha or registry; or cache-from to the service, in services",
  "cache-to": "give cache, such as gha or registry; or cache-to to the service, in services",
  call: "run `docker buildx build --call` in a step of its own",
  "cgroup-parent": "limit the builder, by driver-opts",
  file: "give dockerfile, which is relative to the context",
  files: "give bake-file",
  images: "give registry and name",
  load: "pull the image by its digest, from the output images",
  network: "give it to the service, in services",
  "no-cache-filters": "give no-cache-filter to the service, in services",
  outputs: "run `docker buildx build --output` in a step of its own; images go to the registry",
  pull: "give it to the service, in services; base images that moved are noticed without it",
  "secret-envs": "give secrets, as `id: ENVIRONMENT_VARIABLE`",
  "secret-files": "give secrets, as `id: {file: path}`",
  set: "set variables of the bake file in the step's env, or give platforms, build-args, labels",
  "shm-size": "give it to the service, in services",
  source: "give context, a folder of the workspace",
  ssh: "give it to the service, in services",
  ulimit: "give ulimits to the service, in services",
  workdir: "give context",
};

/** What was asked for by the names of docker's actions, and would be passed over. */
export function dockerInputs(
  environment: Readonly<Record<string, string | undefined>>,
): readonly Problem[] {
  return Object.entries(INSTEAD).flatMap(([where, instead]) => {
    const given = environment[`INPUT_${where.toUpperCase()}`]?.trim() ?? "";
    // What is switched off there is not asked for.
    if (given === "" || given === "false") return [];
    return [{ where, problem: `there is no such input here; ${instead}` }];
  });
}
