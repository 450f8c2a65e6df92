import { platformProblem } from "../../shared/images/index.ts";
import type { Options } from "./inputs.ts";
import type { PlannedBuild } from "./planned.ts";
import { type Problem, quoted } from "./problem.ts";

type Add = (key: string, text: string, problem: string | undefined) => void;

/** What is wrong with a build in itself, beside its files, its secrets and its image's name. */
export function problemsOf(build: PlannedBuild, options: Options): readonly Problem[] {
  const { prefix, at } = build;
  const problems: Problem[] = [];
  const add: Add = (key, text, problem) => {
    if (problem === undefined) return;
    const where = `${prefix}${key}`;
    problems.push({ where, problem: `${quoted(text)}: ${problem}`, at });
  };
  add("name", build.name, nameProblem(build.name));
  for (const platform of build.platforms) add("platforms", platform, platformProblem(platform));
  if (build.target !== undefined && !/^[A-Za-z0-9][\w.-]*$/.test(build.target)) {
    add("target", build.target, "a stage's name is made of letters, digits, `.`, `_` and `-`");
  }
  for (const arg of Object.keys(build.buildArgs)) {
    if (!/^[A-Za-z_]\w*$/.test(arg)) add("build-args", arg, "it is no name of a build argument");
  }
  for (const key of ["labels", "annotations"] as const) {
    for (const name of Object.keys(build[key])) {
      if (name === "" || /[=\n\r]/.test(name)) add(key, name, "it is no key");
    }
  }
  addIds(build, add);
  addSettings(build, options, add);
  return problems;
}

/** A name that is no image's is told of with the image. */
function nameProblem(name: string): string | undefined {
  return /^[A-Za-z0-9_][\w./-]*$/.test(name)
    ? undefined
    : "an image's name is made of a to z, 0 to 9, and single `.`, `_` or `-` between them";
}

function addIds({ secrets, ssh, contexts }: PlannedBuild, add: Add): void {
  const problem = "an id is made of letters, digits, `.`, `_` and `-`";
  for (const id of Object.keys(secrets)) {
    if (!/^[A-Za-z0-9_][\w.-]*$/.test(id)) add("secrets", id, problem);
  }
  for (const { id } of ssh) if (!/^[A-Za-z0-9][\w.-]*$/.test(id)) add("ssh", id, problem);
  for (const name of Object.keys(contexts)) {
    if (!/^[A-Za-z0-9_][\w./:@-]*$/.test(name)) {
      add("contexts", name, "it can be no name of a stage or image");
    }
  }
}

const NETWORKS = ["default", "none", "host"];
/** Rights that a build may be given. */
export const ENTITLEMENTS = ["network.host", "security.insecure"];

function addSettings(build: PlannedBuild, { allow = [] }: Options, add: Add): void {
  const { network, shmSize, ulimits, extraHosts, entitlements } = build;
  if (network !== undefined && !NETWORKS.includes(network)) {
    add("network", network, `BuildKit knows ${NETWORKS.join(", ")} alone`);
  }
  if (shmSize !== undefined && !/^\d+(\.\d+)?\s*([kmgt]i?b?|b)?$/i.test(shmSize)) {
    add("shm-size", shmSize, "write it as 128m");
  }
  for (const limit of ulimits) {
    if (!/^[a-z]+=-?\d+(:-?\d+)?$/.test(limit))
      add("ulimits", limit, "write it as nofile=1024:2048");
  }
  for (const [host, address] of Object.entries(extraHosts)) {
    if (!/^[\w.-]+$/.test(host) || !/^[\w.:[\]-]+$/.test(address)) {
      add("extra-hosts", host, "write a host's name and its address");
    }
  }
  for (const right of entitlements) {
    if (!ENTITLEMENTS.includes(right)) {
      add("entitlements", right, `known are ${ENTITLEMENTS.join(", ")}`);
    } else if (!allow.includes(right)) {
      const why =
        right === "network.host"
          ? "it reaches the builder's own network"
          : "its commands run as root of the builder's machine";
      add("entitlements", right, `${why}; give allow: ${right} to the step if it may`);
    }
  }
}
