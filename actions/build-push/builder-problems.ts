import { parseCache } from "../../shared/buildkit/index.ts";
import { platformProblem } from "../../shared/images/index.ts";
import type { Options } from "./inputs.ts";
import type { Problem } from "./problem.ts";

/** All that is wrong with how the inputs name the builder and the cache. Pure. */
export function builderProblems(options: Options): Problem[] {
  return [
    ...choiceProblems(options),
    ...madeProblems(options),
    ...nodeProblems(options),
    ...tlsProblems(options),
    ...(options.driver === "buildah" ? buildahProblems(options) : []),
    ...cacheProblems(options),
  ];
}

function* choiceProblems({ builder, buildkit, driver }: Options): Iterable<Problem> {
  if (buildkit !== undefined && builder !== undefined) {
    yield {
      where: "buildkit",
      problem: "it names a builder, and so does builder; give one of them",
    };
  }
  if (buildkit !== undefined && driver !== undefined && driver !== "remote") {
    yield { where: "buildkit", problem: `it is for the driver remote, and driver is ${driver}` };
  }
}

/** What says how a builder is made is of no use where none is made. */
function* madeProblems(options: Options): Iterable<Problem> {
  const { driver, builderNodes, buildkit } = options;
  const given: Readonly<Record<string, unknown>> = {
    "driver-opts": options.driverOpts,
    "builder-nodes": builderNodes,
    "buildkitd-config": options.buildkitdConfig,
    "buildkitd-config-inline": options.buildkitdConfigInline,
  };
  for (const [where, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const isOfBuildKit = where.startsWith("buildkitd");
    if (driver === undefined && (buildkit === undefined || isOfBuildKit)) {
      yield { where, problem: "it is for a builder that is made; say which by the input driver" };
    } else if (
      driver === "buildah" ? where !== "driver-opts" : driver === "remote" && isOfBuildKit
    ) {
      yield { where, problem: `it is of no use with the driver ${driver}` };
    }
  }
  if (options.buildkitdConfig !== undefined && options.buildkitdConfigInline !== undefined) {
    yield { where: "buildkitd-config", problem: "buildkitd-config-inline is given too; give one" };
  }
}

function* nodeProblems({ driver, buildkit, builderNodes = [] }: Options): Iterable<Problem> {
  if (driver === "remote" && buildkit === undefined && builderNodes.length === 0) {
    yield { where: "driver", problem: "remote needs the input buildkit, or builder-nodes" };
  }
  for (const [index, { endpoint, platforms }] of builderNodes.entries()) {
    const where = `builder-nodes: node ${index + 1}`;
    if (driver === "remote" && endpoint === undefined && buildkit === undefined) {
      yield { where, problem: "endpoint is missing" };
    }
    if (driver === "kubernetes" && endpoint !== undefined) {
      const instead = "the driver kubernetes takes its cluster from KUBECONFIG";
      yield { where, problem: `endpoint cannot be given: ${instead}` };
    }
    if (endpoint?.startsWith("-")) yield { where, problem: "endpoint is no address" };
    for (const platform of platforms) {
      const problem = platformProblem(platform);
      if (problem !== undefined) yield { where, problem: `platforms: ${platform}: ${problem}` };
    }
  }
}

function* tlsProblems(options: Options): Iterable<Problem> {
  const { driver, buildkit, buildkitCa, buildkitCert, buildkitKey } = options;
  const given = {
    "buildkit-ca": buildkitCa,
    "buildkit-cert": buildkitCert,
    "buildkit-key": buildkitKey,
  };
  const remote = buildkit !== undefined || driver === "remote";
  for (const [where, text] of Object.entries(given)) {
    if (text === undefined) continue;
    if (!remote) yield { where, problem: "it is for a BuildKit named by the input buildkit" };
    if (!text.includes("-----BEGIN ")) yield { where, problem: "it is no text in PEM" };
  }
  if (buildkitCa === undefined && (buildkitCert ?? buildkitKey) !== undefined) {
    yield {
      where: "buildkit-ca",
      problem: "it is missing, and buildx asks for it with the others",
    };
  }
  if ((buildkitCert === undefined) !== (buildkitKey === undefined)) {
    const where = buildkitCert === undefined ? "buildkit-cert" : "buildkit-key";
    yield { where, problem: "it is missing: certificate and key go together" };
  }
}

function* buildahProblems(options: Options): Iterable<Problem> {
  if (options.builder !== undefined) {
    yield { where: "builder", problem: "it names a builder of buildx, and driver is buildah" };
  }
}

function cacheProblems({ cache, driver }: Options): Problem[] {
  const found = parseCache(cache);
  if ("problem" in found) return [{ where: "cache", problem: found.problem }];
  if (driver !== "buildah" || found.kind === "off") return [];
  const problem = "with buildah there is none but its own layers on this machine; leave it out";
  return [{ where: "cache", problem }];
}
