import type { BakeTarget, BuildSecret } from "../buildkit/index.ts";
import { manifestAnnotations } from "./limits.ts";

/** Where one build puts what it makes, and how it works. */
export interface BuildPlan {
  /** The list of images that it makes; of this machine alone. */
  readonly list: string;
  readonly isolation: string;
  /** The Dockerfile to read: the target's own, or one that holds its inline text. */
  readonly dockerfile: string;
}

/** The arguments of `buildah build`; every one of the user's texts is a word of its own. */
export function buildArguments(target: BakeTarget, plan: BuildPlan): string[] {
  const { platforms = [], sourceDateEpoch, network } = target;
  return [
    "build",
    "--layers",
    "--format=oci",
    // The version of buildah would be in every image, and change its digest.
    "--identity-label=false",
    `--isolation=${plan.isolation}`,
    `--manifest=${plan.list}`,
    `--file=${plan.dockerfile}`,
    ...(sourceDateEpoch === undefined ? [] : [`--timestamp=${sourceDateEpoch}`]),
    ...(platforms.length === 0 ? [] : [`--platform=${platforms.join(",")}`]),
    ...(target.target === undefined ? [] : [`--target=${target.target}`]),
    ...named("--build-arg", target.buildArgs),
    ...named("--label", target.labels),
    ...manifestAnnotations(target).map(([name, value]) => `--annotation=${name}=${value}`),
    ...named("--build-context", target.contexts),
    ...(target.secrets ?? []).map((secret) => `--secret=${secretOf(secret)}`),
    ...(target.ssh ?? []).map(
      ({ id, paths }) => `--ssh=${[id, paths.join(",")].filter(Boolean).join("=")}`,
    ),
    ...(target.noCache === true ? ["--no-cache"] : []),
    ...(target.pull === true ? ["--pull-always"] : []),
    ...(network === undefined || network === "default" ? [] : [`--network=${network}`]),
    ...Object.entries(target.extraHosts ?? {}).map(([host, ip]) => `--add-host=${host}:${ip}`),
    ...(target.shmSize === undefined ? [] : [`--shm-size=${target.shmSize}`]),
    ...(target.ulimits ?? []).map((limit) => `--ulimit=${limit}`),
    target.context,
  ];
}

function named(option: string, values: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(values).map(([name, value]) => `${option}=${name}=${value}`);
}

function secretOf(secret: BuildSecret): string {
  return "variable" in secret
    ? `id=${secret.id},type=env,env=${secret.variable}`
    : `id=${secret.id},type=file,src=${secret.file}`;
}
